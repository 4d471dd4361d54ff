"""The commands of `make` and `robo-poet` that messages, help texts and documents name.

`tests/repository/test_commands.py` parses them, and `tests/e2e/test_commands.py` runs them.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli.__main__ import app

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path for room in ("robo_poet", "serving", "monitoring", "components", "pipelines", "cli") for path in (ROOT / room).rglob("*.py")
)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"[A-Z][A-Z_]+", MAKEFILE))
PASSED_ON = {"run-pipeline": "run", "serve": "serve", "compile": "compile", "images": "images"}  # make target → command that gets ARGS
CLI = typer.main.get_command(app)
assert isinstance(CLI, TyperGroup)


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


def commands_in_help_texts() -> Iterator[tuple[str, str]]:
    """Yield (place, words after `robo-poet`) of each command in backquotes in the code: docstrings are the help texts of commands."""
    for path in SOURCES:
        for named in re.findall(r"`robo-poet ([a-z][^`]*)`", path.read_text("utf-8")):
            yield str(path.relative_to(ROOT)), re.sub(r"\s+", " ", named)


def complete_commands() -> dict[str, list[str]]:
    """Return each distinct command that can be typed as it stands, without its comment, and the places that print it.

    The program is written `robo-poet`, without a path. A value in a message is `1`, and a text `"…"` is `"your reason"`. A text that only
    names a command, such as `robo-poet registry …`, is left out.
    """
    places: dict[str, list[str]] = {}
    for place, function, words in commands_in_messages():
        places.setdefault(f"{'make' if function == 'make' else 'robo-poet'} {words}", []).append(place)
    lines = [(place, f"robo-poet {words}", False) for place, words in commands_in_help_texts()]
    for place, printed, in_block in [*commands_in_pages(), *lines]:
        line = printed.replace('"…"', '"your reason"').replace("\\|", "|")
        program, *words = words_of(line)
        if program.endswith("robo-poet"):
            complete = bool(words) and "COMMAND" not in words and (in_block or words == ["--help"] or fault(words, whole=True) == "")
        else:
            complete = bool(words) and words[0] in TARGETS and make_fault(words) == ""
        if complete:
            typed = re.sub(r"\s+#.*", "", line).removeprefix(".venv/bin/").strip()
            places.setdefault(typed, []).append(place)
    return places
