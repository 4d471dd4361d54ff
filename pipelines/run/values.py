"""Parameter values: their types in the IR, and their text on a step's command line, as Kubeflow's launcher writes it."""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from robo_poet.errors import BadInput

EXACT = 2**53  # protobuf carries every number as a double: whole numbers beyond this would change on the way to a cluster
KINDS: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": (bool,),
    "LIST": (list,),
    "STRUCT": (dict,),
}
# Go's JSON encoder escapes these inside strings; the same bytes here keep a step's argument the same in both places.
_GO_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def plain(value: Any) -> Any:
    """Write whole floats as integers, at any depth, so that 1 and 1.0 are one value (the IR knows only doubles)."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    return value


def typed(kind: str, value: Any, where: str) -> Any:
    """Check a value against its type in the IR.

    Raises:
        BadInput: it is of another type, not finite, or a whole number that a double cannot hold; names `where`.
    """
    value = plain(value)
    if not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "BOOLEAN"):
        raise BadInput(f"{json.dumps(value, default=str)[:80]} is not a {kind}", where=where)
    for number in _numbers(value):
        if not math.isfinite(number) or (isinstance(number, int) and abs(number) > EXACT):
            raise BadInput(f"{number} cannot be carried exactly by the pipeline", where=where)
    return value


def _numbers(value: Any) -> Iterator[int | float]:
    if isinstance(value, (int, float)):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)


def from_text(kind: str, text: str, where: str) -> Any:
    """Read a parameter that a step wrote to a file: strings as they are, everything else as JSON.

    Raises:
        BadInput: the text is not of that type.
    """
    if kind == "STRING":
        return text
    try:
        return typed(kind, json.loads(text.lower() if kind == "BOOLEAN" else text), where)
    except ValueError:
        raise BadInput(f"{text.strip()[:80]!r} is not a {kind}", where=where) from None


def render(value: Any) -> str:
    """Text of a parameter value on a command line: numbers without exponent or trailing zeros, lists and structs as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return _json(value, bare=True)


def _json(value: Any, bare: bool = False) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, float):
        return _number(value, exponent=not bare)
    return json.dumps(value, ensure_ascii=False).translate(_GO_ESCAPES)


def _number(value: float, exponent: bool) -> str:
    if exponent and value and not 1e-6 <= abs(value) < 1e21:
        return repr(value).replace("e-0", "e-")
    text = format(Decimal(repr(value)), "f")  # the shortest digits that read back as this double
    return text.rstrip("0").rstrip(".") if "." in text else text
