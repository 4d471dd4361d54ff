"""Runs the command line as a person would: in a folder of its own, as a process."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.once import once

COMMAND = [str(Path(sys.executable).parent / "robo-poet")]


class Shell:
    """A folder in which `robo-poet` is typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
        return subprocess.Popen(
            [*COMMAND, *arguments], cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )  # fmt: skip

    def type(self, *arguments: str, status: int = 0, seconds: float = 280) -> str:
        """Run to the end; returns what was printed, both streams."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=seconds)
        assert process.returncode == status, out + err
        assert "Traceback" not in out + err
        return out + err

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run with `--json`; returns what was printed to standard output."""
        process = self.start(*arguments, "--json")
        out, err = process.communicate(timeout=280)
        assert process.returncode == 0, out + err
        return json.loads(out)  # type: ignore[no-any-return]

    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "runs" / "latest" / "summary.json").read_text())  # type: ignore[no-any-return]

    def states(self) -> dict[str, str]:
        return {name: step["state"] for name, step in self.summary()["steps"].items()}


@dataclass(frozen=True)
class FirstRun:
    """The `ci` profile's run in an empty folder.

    Attributes:
        shell: where it ran; tests/e2e/test_training.py goes on there, and nobody else looks into it.
        copy: the same folder as it was at the end of the run. Nothing changes it.
        printed: what a person saw.
        summary: as it was at its end.
    """

    shell: Shell
    copy: Path
    printed: str
    summary: dict[str, Any]


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    def make(folder: Path) -> None:
        (folder / "person").mkdir()
        shell = Shell(folder / "person")
        printed = shell.type("run", "--profile", "ci")
        shutil.copytree(folder / "person", folder / "copy", symlinks=True)
        (folder / "first.json").write_text(json.dumps({"printed": printed, "summary": shell.summary()}))

    folder = once(tmp_path_factory, "first_run", make)
    return FirstRun(Shell(folder / "person"), folder / "copy", **json.loads((folder / "first.json").read_text()))


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("person"))


@pytest.fixture
def fresh_shell(tmp_path: Path) -> Callable[[], Shell]:
    return lambda: Shell(tmp_path)
