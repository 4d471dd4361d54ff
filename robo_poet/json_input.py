"""JSON that a program is given, as a file or as a parameter: read as an object, or refused in one line."""

import json
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput


def parse_object(text: str, *, where: str) -> dict[str, Any]:
    """Read a JSON object. NaN and infinity are let through: whoever uses a number decides what they mean.

    Raises:
        BadInput: `where` is no JSON, or no object.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not JSON ({error})", where=where) from None
    if not isinstance(value, dict):
        raise BadInput(f"a JSON object is needed, not {type(value).__name__}", where=where)
    return value


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds a JSON object.

    Raises:
        BadInput: it is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, IsADirectoryError):
        raise BadInput("not a JSON file", where=str(path)) from None
    return parse_object(text, where=str(path))
