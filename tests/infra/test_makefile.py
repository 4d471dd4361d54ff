"""The Makefile passes its variables on as they were typed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = [
    "po$ems", "po$$ems", "$(HOME)", "${HOME}", "$HOME", "my poems ", "a  b", "it's", 'say "no"', "{x}", "{{$.inputs}}", "(y)", "a#b", "a%b", "a=b", "a;b|c&d", "*", "[a]", "~",
    "back\\slash", "end\\", "`date`", "!x", "ä", "-p",
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the Makefile and a program that prints its arguments, one a line."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for path, text in (("infra/setup.sh", "#!/bin/sh\n"), (".venv/bin/robo-poet", "#!/bin/sh\nprintf '<%s>\\n' \"$@\"\n")):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
        (tmp_path / path).chmod(0o755)
    return tmp_path


def make(project: Path, *arguments: str, **environment: str) -> list[str]:
    """Run make and return the arguments of the program."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PROFILE", "CORPUS", "MODEL", "RUNNER", "ARGS", "PORT")
    }
    ended = subprocess.run(["make", *arguments], cwd=project, env=kept | environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return [line[1:-1] for line in ended.stdout.splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_a_corpus_keeps_its_name_before_and_after_the_word_make(project: Path, name: str) -> None:
    expected = ["run", "--profile", "local", "--runner", "process", "--corpus", name, "--model", ""]
    assert make(project, "run-pipeline", f"CORPUS={name}") == expected
    assert make(project, "run-pipeline", CORPUS=name) == expected
    assert make(project, "run-pipeline", f"MODEL={name}")[-1] == name


def test_only_blanks_before_a_value_after_the_word_make_are_lost(project: Path) -> None:
    assert make(project, "run-pipeline", "CORPUS=  poems")[6] == "poems"
    assert make(project, "run-pipeline", CORPUS="  poems")[6] == "  poems"


def test_arguments_are_words_of_the_shell(project: Path) -> None:
    typed = "--set 'description=po$ems {x} \"y\"' --set train.epochs=2"
    assert make(project, "run-pipeline", f"ARGS={typed}")[-4:] == ["--set", 'description=po$ems {x} "y"', "--set", "train.epochs=2"]


@pytest.mark.parametrize(("typed", "profile"), [([], "rtx"), (["PROFILE=ci"], "ci"), (["PROFILE=po$ems.yaml"], "po$ems.yaml")])
def test_compile_takes_rtx_unless_a_profile_is_given(project: Path, typed: list[str], profile: str) -> None:
    assert make(project, "compile", *typed) == ["compile", "--profile", profile]


def test_the_port_is_passed_on(project: Path) -> None:
    assert make(project, "serve")[3:5] == ["--port", "8080"] and make(project, "serve", "PORT=0")[3:5] == ["--port", "0"]
