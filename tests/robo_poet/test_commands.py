import subprocess
import sys
from pathlib import Path

import pytest

from robo_poet import commands


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with `.venv/bin/robo-poet`, which prints its arguments, and a Makefile. Neither is on the PATH or in the current folder."""
    root = tmp_path / "a checkout"
    program = root / ".venv" / "bin" / "robo-poet"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    program.chmod(0o755)
    (root / "Makefile").write_text('run-pipeline:\n\t@echo "run in $(notdir $(CURDIR))"\n')
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(commands, "ROOT", root)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    return root


def typed(command: str, folder: Path) -> str:
    return subprocess.run(["/bin/sh", "-c", command], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("place", [".", "docs", "../elsewhere"])
def test_the_command_runs_as_printed_in_any_folder(place: str, installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installation / "docs").mkdir()
    monkeypatch.chdir(installation / place)
    printed = commands.command("promote 2 --why 'lower perplexity'")
    assert typed(printed, Path.cwd()) == "promote|2|--why|lower perplexity|"
    assert "run in a checkout" in typed(commands.make("run-pipeline"), Path.cwd()).splitlines()
    if place == ".":
        assert printed.startswith(".venv/bin/robo-poet ") and commands.make("setup") == "make setup"


def test_the_name_is_enough_if_the_path_has_this_installation(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{installation / '.venv' / 'bin'}:/usr/bin:/bin")
    assert commands.command("run") == "robo-poet run"


def test_another_installation_on_the_path_is_not_taken(installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other" / "robo-poet"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}:/usr/bin:/bin")
    monkeypatch.chdir(installation)
    assert commands.command("run") == ".venv/bin/robo-poet run"


def test_an_option_is_repeated_where_it_is_taken_and_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with commands.repeated_option("--registry", "my models", lambda words: words.startswith("registry ")):
        assert commands.command("registry list") == "robo-poet registry list --registry 'my models'"
        assert commands.command("registry list --registry other --json") == "robo-poet registry list --registry other --json"
        assert commands.command("run") == "robo-poet run"
    assert commands.command("registry list") == "robo-poet registry list"


def test_without_an_installation_the_name_remains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert commands.command("run") == "robo-poet run" and commands.make("setup") == "make setup"
