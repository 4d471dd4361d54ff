"""Types the commands of the tutorials, as a reader does, in a clone of this repository."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVE = "make serve"


class Reader:
    """A person in the folder of a clone, with the environments of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        for name in (".venv", ".venv-validate"):
            (folder / name).symlink_to((ROOT / name).resolve())
        self.environment = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "160", "NO_COLOR": "1", "MAKEFLAGS": ""}
        self.server: subprocess.Popen[bytes] | None = None

    def type(self, block: str) -> str:
        """Run a block of commands in bash; return both streams."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def serve(self, command: str, port: int) -> None:
        """Start the server in a second terminal, and wait until it is ready."""
        self.server = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment, start_new_session=True)
        for _ in range(240):
            if subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/readyz"], capture_output=True).returncode == 0:
                return
            assert self.server.poll() is None, "the server ended"
            time.sleep(0.5)
        raise AssertionError("the server was not ready after 120 s")

    def stop(self) -> None:
        """Press Ctrl-C in the terminal of the server."""
        if self.server is not None and self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGINT)
            self.server.wait(60)


def blocks(page: str) -> list[str]:
    """Return the code blocks without a language: the commands of a tutorial, in order."""
    text = (ROOT / "docs" / "tutorials" / page).read_text("utf-8")
    return [body for language, body in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S) if not language]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    person = Reader(tmp_path / "robo-poet")
    yield person
    person.stop()
    shutil.rmtree(person.folder, ignore_errors=True)


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_two_models_one_canary(reader: Reader) -> None:
    train, listing, serve, ask, look, promote, roll_back = blocks("two-models.md")
    printed = reader.type(train)
    assert "ci-shakespeare/1 is champion" in printed and "ci-shakespeare/2 is canary" in printed
    assert "canary" in reader.type(listing)
    assert serve.startswith(SERVE)
    reader.serve(serve.strip(), 8090)
    assert set(reader.type(ask).splitlines()) == {"1 champion", "2 canary"}
    assert '"canary_share":0.5' in reader.type(look).replace(" ", "")
    assert "ci-shakespeare/2 is champion" in reader.type(promote)
    time.sleep(5)
    assert set(reader.type(ask).splitlines()) == {"2 champion"}
    assert "users prefer the first version" in reader.type(roll_back)
    time.sleep(5)
    assert set(reader.type(ask).splitlines()) == {"1 champion"}


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_my_first_corpus(reader: Reader) -> None:
    text, describe, train, look, serve = blocks("own-corpus.md")
    assert len(reader.type(text).splitlines()) == 3
    assert "works" in reader.type(describe)
    printed = reader.type(train)
    assert "speeches/1 is champion" in printed, printed[-3000:]
    assert "champion" in reader.type(look)
    assert serve.startswith(SERVE)
    reader.serve(serve.strip(), 8091)
