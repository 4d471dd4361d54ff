"""The error that a user can act on, its message for a failed validation, and readers of JSON objects and command lines that raise it.

Any other exception that leaves a program is a bug.
"""

import argparse
import json
from pathlib import Path
from typing import Any, NoReturn

LONGEST_LINE = 4_000  # characters of an error; a value or a path in it may have millions


def _one_line(text: str) -> str:
    """Return a text in one line, with control characters as escapes: names of files may contain commands for a terminal."""
    if len(text) > LONGEST_LINE:
        text = f"{text[: LONGEST_LINE // 2]} … ({len(text) - LONGEST_LINE:,} characters left out) … {text[-LONGEST_LINE // 2 :]}"
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


class BadInput(Exception):
    """An input that cannot be used.

    Args:
        what: what is wrong, without a full stop ("the file is empty").
        where: the file, record or key with the problem.
        remedy: what the user can do about it.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        line = f"{where}: {what}" if where else what
        super().__init__(_one_line(f"{line}; {remedy}" if remedy else line))


class BadInputParser(argparse.ArgumentParser):
    """An argument parser that raises `BadInput` for a wrong command line, so that the error is one line, without the usage text."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(message, where="command line", remedy="see --help")


def validation_message(message: str) -> str:
    """Return the message of a Pydantic error with a lower-case first letter and without the prefix of custom validators."""
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def parse_object(text: str, *, where: str) -> dict[str, Any]:
    """Parse a JSON object. NaN and infinity are accepted; the caller decides what they mean.

    Raises:
        BadInput: the text is not JSON, or not an object; the message names `where`.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not JSON ({error})", where=where) from None
    if not isinstance(value, dict):
        raise BadInput(f"a JSON object is needed, not {type(value).__name__}", where=where)
    return value


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that contains a JSON object.

    Raises:
        BadInput: the file is not text, not JSON, or not an object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, IsADirectoryError):
        raise BadInput("not a JSON file", where=str(path)) from None
    return parse_object(text, where=str(path))
