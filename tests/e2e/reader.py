"""A person who types what a page says, in a clone of this repository."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Reader:
    """A person in the folder of a clone, with the environments of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        for name in (".venv", ".venv-validate"):
            (folder / name).symlink_to((ROOT / name).resolve())
        self.environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "160", "NO_COLOR": "1", "MAKEFLAGS": ""}
        self.server: subprocess.Popen[bytes] | None = None

    def type(self, block: str, seconds: float = 900) -> str:
        """Run a block of commands in bash; return both streams."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def serve(self, command: str) -> str:
        """Start the server in a second terminal, wait until it is ready, and return its address."""
        log = self.folder.parent / "server.log"
        with log.open("wb") as output:
            self.server = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, start_new_session=True,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        for _ in range(240):
            found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text())
            if found and subprocess.run(["curl", "-sf", f"{found[0]}/readyz"], capture_output=True).returncode == 0:
                return found[0]
            assert self.server.poll() is None, f"the server ended\n{log.read_text()}"
            time.sleep(0.5)
        raise AssertionError(f"the server was not ready after 120 s\n{log.read_text()}")

    def stop(self) -> None:
        """Press Ctrl-C in the terminal of the server."""
        if self.server is not None and self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGINT)
            self.server.wait(60)


def blocks(page: str, language: str = "") -> list[str]:
    """Return the code blocks of a page in docs/ that have this language. Without one, they are the commands of a tutorial, in order."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return [body for name, body in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S) if name == language]
