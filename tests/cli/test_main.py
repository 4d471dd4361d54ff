import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import cli.__main__ as module
from cli.__main__ import app
from robo_poet.commands import command


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield words, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*words, name))


ALL = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", [words for words, _ in ALL], ids=" ".join)
def test_every_command_has_a_help_page(words: tuple[str, ...]) -> None:
    page = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "100"})
    assert page.exit_code == 0 and "Usage: " in page.stdout


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) for words, _ in ALL])
def test_every_option_and_argument_has_a_help_text(words: tuple[str, ...], command: Any) -> None:
    assert command.help
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        assert text, f"{words} {parameter.name}"
        assert text[0].isupper() or text.startswith("0"), text


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) for words, _ in ALL])
def test_every_example_can_be_parsed(words: tuple[str, ...], command: Any) -> None:
    for example in re.findall(r"Example: `robo-poet ([^`]+)`", command.help or ""):
        typed = shlex.split(example)
        assert tuple(typed[: len(words)]) == words
        command.make_context(" ".join(words), typed[len(words) :])  # raises if an option or a value is wrong


def test_version_prints_the_version() -> None:
    assert re.fullmatch(r"robo-poet \d+\.\d+\.\d+\n", CliRunner().invoke(app, ["--version"]).stdout)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["registry", "show", "one"], "error: 'one' is not a version number; {} shows the numbers\n"),
        (["registry", "card", "1", "--out", "file/card.html"], "error: there is no version 1; the registry is empty\n"),
    ],
)
def test_wrong_input_is_one_line_and_exit_status_2(
    words: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["robo-poet", *words])
    with pytest.raises(SystemExit) as exit_:
        module.main()
    assert exit_.value.code == 2
    assert capsys.readouterr().err == line.format(command("registry list"))


def test_an_error_of_the_operating_system_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["robo-poet", "compile", "--output", "file/training.yaml"])
    with pytest.raises(SystemExit) as exit_:
        module.main()
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and "Traceback" not in error
