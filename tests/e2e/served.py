"""`robo-poet serve` as a process, as a person has it."""

import re
from typing import Any

import httpx

from tests.e2e.conftest import Shell


class Served:
    """A running `robo-poet serve`."""

    def __init__(self, shell: Shell, *arguments: str) -> None:
        self.shell = shell
        self.process = shell.start("serve", "--port", "0", *arguments)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/#key=(\S+)", line)
        assert found, line + (self.process.stderr.read() if self.process.stderr and self.process.wait(60) else "")
        self.address, self.key = found[1], found[2]

    def ask(self, path: str = "/v1/generate", key: str | None = None, **body: Any) -> httpx.Response:
        return httpx.post(f"{self.address}{path}", json=body, headers={"X-API-Key": key or self.key}, timeout=60)

    def end(self) -> str:
        self.process.terminate()
        out, err = self.process.communicate(timeout=90)
        assert self.process.returncode == 0, err
        return out
