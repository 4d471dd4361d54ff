"""Parameter values and placeholders of the IR. Placeholders are resolved in one pass, so a value is never read as a placeholder."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
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


ANY_PLACEHOLDER = re.compile(r"\{\{\$.*?\}\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{\{\$\.(input|output)s\.(parameters|artifacts)\[(['\"])(.*?)\3\](?:\.(path|uri|output_file))?\}\}")
_KNOWN_PLACEHOLDERS = {
    ("input", "parameters", None),
    ("output", "parameters", "output_file"),
    *((side, "artifacts", ending) for side in ("input", "output") for ending in ("path", "uri")),
}
_EXECUTOR_OUTPUT = "{{$.outputs.output_file}}"


@dataclass(frozen=True)
class Places:
    """What a step's placeholders stand for; output paths follow from the one folder that all its outputs are written to."""

    parameters: Mapping[str, Any]
    inputs: Mapping[str, Path]
    outputs: Path

    def output(self, kind: str, name: str) -> Path:
        """Where the output `name` of kind `artifacts` or `parameters` is to be written."""
        return self.outputs / kind / name

    @property
    def executor_output(self) -> Path:
        """Kubeflow's executor output file."""
        return self.outputs / "executor_output.json"


def fill_placeholders(template: str, places: Places) -> str:
    """Resolve every placeholder of a checked `template`, once. An optional input that nobody gave is the empty text, as on the cluster."""

    def value(match: re.Match[str]) -> str:
        if match.group() == _EXECUTOR_OUTPUT:
            return str(places.executor_output)
        found = _PLACEHOLDER.fullmatch(match.group())
        assert found, "templates are checked when the pipeline is read"
        side, kind, _, name, _ = found.groups()
        if side == "output":
            return str(places.output(kind, name))
        return render(places.parameters.get(name)) if kind == "parameters" else str(places.inputs.get(name, ""))

    return ANY_PLACEHOLDER.sub(value, template)


def check_placeholders(template: str, component: Mapping[str, Any], where: str) -> None:
    """Refuse what `fill_placeholders` could not resolve: unknown placeholders, and those that name what the component does not declare.

    Raises:
        BadInput: names the placeholder.
    """
    if template.startswith(('{"Concat"', '{"IfPresent"')):
        raise BadInput(f"the placeholder {template[2:].partition(chr(34))[0]} is not supported by the local executor", where=where)
    for match in ANY_PLACEHOLDER.finditer(template):
        found = _PLACEHOLDER.fullmatch(match.group())
        side, kind, _, name, ending = found.groups() if found else ("", "", "", "", "")
        if match.group() != _EXECUTOR_OUTPUT and (side, kind, ending) not in _KNOWN_PLACEHOLDERS:
            raise BadInput(f"the placeholder {match.group()} is not supported by the local executor", where=where)
        if found and name not in component.get(f"{side}Definitions", {}).get(kind, {}):
            raise BadInput(f"the placeholder {match.group()} names no declared {side}", where=where)
