"""Parameter values and placeholders of the IR. Placeholders are resolved in one pass, so a value is never treated as a placeholder."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput

EXACT = 2**53  # protobuf stores every number as a double, so larger integers would lose digits on a cluster
KINDS: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": (bool,),
    "LIST": (list,),
    "STRUCT": (dict,),
}
# Go's JSON encoder escapes these characters in strings. The same here gives a step the same arguments locally and on a cluster.
_GO_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def plain(value: Any) -> Any:
    """Convert whole floats to integers, at any depth. The IR has only doubles, so 1 and 1.0 must be the same value."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    return value


def typed(kind: str, value: Any, where: str) -> Any:
    """Check a value against its IR type, a key of `KINDS`. Return it in the form of `plain`.

    Raises:
        BadInput: the value has another type, is not finite, or is an integer beyond ±2^53; the message names `where`.
    """
    value = plain(value)
    if not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "BOOLEAN"):
        raise BadInput(f"{json.dumps(value, default=str)[:80]} is not a {kind}", where=where)
    for number in _numbers(value):
        if not math.isfinite(number) or (isinstance(number, int) and abs(number) > EXACT):
            raise BadInput(f"{number} cannot be passed exactly by the pipeline", where=where)
    return value


def _numbers(value: Any) -> Iterator[int | float]:
    if isinstance(value, (int, float)):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)


def from_text(kind: str, text: str, where: str) -> Any:
    """Parse an output parameter that a step wrote to a file: strings unchanged, other types as JSON.

    Raises:
        BadInput: the text is not a value of this type.
    """
    if kind == "STRING":
        return text
    try:
        return typed(kind, json.loads(text.lower() if kind == "BOOLEAN" else text), where)
    except ValueError:
        raise BadInput(f"{text.strip()[:80]!r} is not a {kind}", where=where) from None


def render(value: Any) -> str:
    """Format a parameter value for a command line: numbers without exponent or trailing zeros, lists and structs as JSON, None as empty."""
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
    text = format(Decimal(repr(value)), "f")  # the fewest digits that keep the value
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
class PlaceholderValues:
    """The values of a step's placeholders.

    Attributes:
        parameters: input parameter → value.
        inputs: input artifact → path.
        outputs: folder of all outputs; output paths are derived from it.
    """

    parameters: Mapping[str, Any]
    inputs: Mapping[str, Path]
    outputs: Path

    def output(self, kind: str, name: str) -> Path:
        """Return the path of the output `name`; `kind` is `artifacts` or `parameters`."""
        return self.outputs / kind / name

    @property
    def executor_output(self) -> Path:
        """Path of KFP's executor output file."""
        return self.outputs / "executor_output.json"


def fill_placeholders(template: str, placeholders: PlaceholderValues) -> str:
    """Resolve all placeholders of a checked `template`, once. A missing optional input becomes the empty text, as on a cluster."""

    def value(match: re.Match[str]) -> str:
        if match.group() == _EXECUTOR_OUTPUT:
            return str(placeholders.executor_output)
        placeholder = _PLACEHOLDER.fullmatch(match.group())
        assert placeholder, "templates are checked when the pipeline is read"
        side, kind, _, name, _ = placeholder.groups()
        if side == "output":
            return str(placeholders.output(kind, name))
        return render(placeholders.parameters.get(name)) if kind == "parameters" else str(placeholders.inputs.get(name, ""))

    return ANY_PLACEHOLDER.sub(value, template)


def check_placeholders(template: str, component: Mapping[str, Any], where: str) -> None:
    """Check that `fill_placeholders` can resolve a template: placeholders are known, and the component declares the inputs and outputs.

    Raises:
        BadInput: names the placeholder.
    """
    if template.startswith(('{"Concat"', '{"IfPresent"')):
        raise BadInput(f"the placeholder {template[2:].partition(chr(34))[0]} is not supported by the local executor", where=where)
    for match in ANY_PLACEHOLDER.finditer(template):
        placeholder = _PLACEHOLDER.fullmatch(match.group())
        side, kind, _, name, ending = placeholder.groups() if placeholder else ("", "", "", "", "")
        if match.group() != _EXECUTOR_OUTPUT and (side, kind, ending) not in _KNOWN_PLACEHOLDERS:
            raise BadInput(f"the placeholder {match.group()} is not supported by the local executor", where=where)
        if placeholder and name not in component.get(f"{side}Definitions", {}).get(kind, {}):
            raise BadInput(f"the placeholder {match.group()} refers to an undeclared {side}", where=where)
