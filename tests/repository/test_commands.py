"""Every command that a message or a document names exists: subcommand, options, make target and variables.

A message gets its commands from `robo_poet.commands`, so that they run as printed. Such a command must also be complete.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli.__main__ import app

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for room in ("robo_poet", "serving", "components", "pipelines", "cli") for path in (ROOT / room).rglob("*.py"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"[A-Z][A-Z_]+", MAKEFILE))
PASSED_ON = {"run-pipeline": "run", "serve": "serve", "compile": "compile", "images": "images"}  # make target → command that gets ARGS
CLI = typer.main.get_command(app)
assert isinstance(CLI, TyperGroup)
NAMED = re.compile(
    rf"(?:\.venv/bin/)?robo-poet (?:{'|'.join(CLI.commands)})(?![\w-])|\bmake (?:{'|'.join(TARGETS - {'clean', 'lock', 'check', 'test'})})(?![\w-])"
)


def fault(words: list[str], *, whole: bool) -> str:
    """Return what is wrong with a command line of robo-poet, "" if nothing is.

    Args:
        whole: the line must be complete, so that it runs as it is. Else it may lack arguments, as a command that a text only names.
    """
    command: Any
    command, rest = CLI, list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name == "COMMAND":  # a placeholder
            return ""
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    if isinstance(command, TyperGroup):
        return "the subcommand is missing" if whole else ""
    if whole:
        try:
            command.make_context(command.name, rest)
        except TyperException as error:
            return f"{getattr(error, 'message', '')} ({getattr(getattr(error, 'param', None), 'opts', '')}) {error}"
    known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    unknown = [word for word in rest if re.match(r"--?[a-z]", word) and word.split("=")[0] not in known]
    return f"no option {unknown[0]}" if unknown else ""


def make_fault(words: list[str]) -> str:
    """Return what is wrong with the words after `make`, "" if nothing is."""
    target, variables = words[0], [word.partition("=") for word in words[1:]]
    if target not in TARGETS:
        return f"no target {target}"
    for name, _, value in variables:
        if name not in VARIABLES and name != "BASE_IMAGE":
            return f"no variable {name}"
        if name == "ARGS" and target in PASSED_ON and (wrong := fault([PASSED_ON[target], *words_of(value)], whole=True)):
            return wrong
    return ""


def words_of(line: str) -> list[str]:
    """Split a command line. Placeholders such as `[--wait]` and `…` are removed, and so is a comment."""
    lexer = shlex.shlex(line.replace("\\|", "|"), posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, "#"
    words = [word if " " in word or "{" in word else word.strip("[]") for word in lexer]
    return [word for word in words if word != "…"]


def commands_in_messages() -> Iterator[tuple[str, str, str]]:
    """Yield (place, function, words) of each call of a function of `robo_poet.commands`. A value in an f-string becomes `1`."""
    for path in SOURCES:
        text = path.read_text("utf-8")
        if "from robo_poet.commands import" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("command", "make"):
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                [argument] = node.args
                parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                yield place, node.func.id, "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in parts)


def commands_in_pages() -> Iterator[tuple[str, str, bool]]:
    """Yield (place, command, True if it stands in a block that a reader copies) of README, CONTRIBUTING and docs/."""
    for page in PAGES:
        in_block = False
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
            place = f"{page.relative_to(ROOT)}:{number}"
            if line.lstrip().startswith("```"):
                in_block = not in_block
            elif in_block and re.match(r"\s*(\.venv/bin/)?(robo-poet|make) ", line):
                yield from ((place, part.strip(), True) for part in line.partition(" | ")[0].split("&&"))
            elif not in_block:
                yield from ((place, span, False) for span in re.findall(r"`((?:\.venv/bin/)?(?:robo-poet|make) [^`]+)`", line))


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string except docstrings and the help texts of options."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(node) is not None:
            skipped.add(node.body[0].value)  # type: ignore[attr-defined]  # an expression, because it is a docstring
        elif isinstance(node, ast.keyword) and node.arg == "help":
            skipped.update(ast.walk(node.value))
    yield from (
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped
    )


def test_commands_of_messages_are_complete() -> None:
    found = list(commands_in_messages())
    assert len(found) > 20
    faults = {
        (place, words): make_fault(shlex.split(words)) if function == "make" else fault(words_of(words), whole=True)
        for place, function, words in found
    }
    assert {key: value for key, value in faults.items() if value} == {}


def test_messages_get_their_commands_from_one_function() -> None:
    """A command that is written out has no path, so it does not run where the PATH lacks `.venv/bin`."""
    literal = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in SOURCES
        for line, text in strings(ast.parse(path.read_text("utf-8")))
        if NAMED.search(text)
    ]
    assert literal == []


def test_commands_of_help_texts_exist() -> None:
    for path in SOURCES:
        for named in re.findall(r"`robo-poet ([a-z][^`]*)`", path.read_text("utf-8")):
            words = words_of(re.sub(r"\s+", " ", named))
            if words:
                assert fault(words, whole=False) == "", f"{path.relative_to(ROOT)}: {named}"


def test_commands_of_pages_exist() -> None:
    found = list(commands_in_pages())
    assert len(found) > 60
    faults = {}
    for place, line, in_block in found:
        program, *words = words_of(line)
        if program.endswith("robo-poet"):
            faults[place, line] = fault(words, whole=in_block)
        elif words and not in_block and not re.match(r"[a-z-]+$|[A-Z_]+=", words[0]):
            continue
        elif words:
            faults[place, line] = make_fault(words)
    assert {key: value for key, value in faults.items() if value} == {}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("registry lst", "no command lst"), ("registry promote 3", '--why'), ("registry", "the subcommand is missing"),
        ("run --epochs 3", "No such option: --epochs"), ("serve --port many", "should be a valid integer"),
    ],
)  # fmt: skip
def test_a_wrong_command_is_found(line: str, wrong: str) -> None:
    assert wrong in fault(words_of(line), whole=True)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("run-pipelines", "no target run-pipelines"),
        ("serve PROT=8080", "no variable PROT"),
        ("serve ARGS='--prt 1'", "No such option: --prt"),
    ],
)
def test_a_wrong_make_command_is_found(line: str, wrong: str) -> None:
    assert wrong in make_fault(words_of(line))
