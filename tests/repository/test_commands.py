"""Every command that a message or a document names exists: subcommand, options, make target and variables.

A message gets its commands from `robo_poet.commands`, so that they run as printed. Such a command must also be complete.
"""

import ast
import re
import shlex
from collections.abc import Iterator

import pytest

from tests.repository.commands import (
    CLI,
    ROOT,
    SOURCES,
    TARGETS,
    commands_in_help_texts,
    commands_in_messages,
    commands_in_pages,
    fault,
    make_fault,
    words_of,
)

NAMED = re.compile(
    rf"(?:\.venv/bin/)?robo-poet (?:{'|'.join(CLI.commands)})(?![\w-])|\bmake (?:{'|'.join(TARGETS - {'clean', 'lock', 'check', 'test'})})(?![\w-])"
)


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
    for place, named in commands_in_help_texts():
        if words := words_of(named):
            assert fault(words, whole=False) == "", f"{place}: {named}"


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
