"""The gates of a profile: inherited, overridden by key, or dropped with a reason (EVAL-6).

A profile's `gates` is a list of changes to the gates that it inherits. A line is either

- a gate, which replaces the inherited gate with the same metric, slice and comparison, or is added, or
- `{metric: "bias_*", drop: "reason"}`, which drops the inherited gates whose metric matches. The reason is shown by `profile show`, or
- `{metric: "*", on_unknown: warn}`, without a bound or a margin, which changes `on_unknown` of the inherited gates whose metric matches.
  A pattern leaves gates with `on_unknown: pass` as they are.

So a profile cannot lose a gate by leaving it out.
"""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from pydantic import TypeAdapter, ValidationError

from robo_poet.errors import BadInput, validation_message
from robo_poet.judges.gate import ON_UNKNOWN, Gate, parse_slice
from robo_poet.judges.metrics import COMPARED, METRICS, SLICED
from robo_poet.settings.evaluation import SlicesSettings
from robo_poet.settings.gate import CheckedGate

_READER: TypeAdapter[Gate] = TypeAdapter(CheckedGate)


@dataclass(frozen=True)
class PlacedGate:
    """A gate and the file or option that set it.

    Attributes:
        where: origin and position, such as `profiles/rtx.yaml: gates.0`.
        dropped: why the profile does not use this gate; empty if it does.
        unknown_origin: the file or option that changed `on_unknown` of the inherited gate; empty if none did.
    """

    gate: Gate
    origin: str
    where: str
    dropped: str = ""
    unknown_origin: str = ""


def apply_changes(inherited: Sequence[PlacedGate], lines: Any, origin: str) -> list[PlacedGate]:
    """Return the inherited gates after the changes of one profile or `--set gates=…`. Dropped gates stay in the list and are marked.

    Raises:
        BadInput: a line is not a gate, names an unknown metric, drops or changes nothing, or sets a gate twice.
    """
    if not isinstance(lines, list):
        raise BadInput("gates must be a list", where=f"{origin}: gates", remedy="for example gates: [{metric: perplexity, max: 100}]")
    gates = list(inherited)
    set_here: set[tuple[str, str, str]] = set()
    for number, line in enumerate(lines):
        where = f"{origin}: gates.{number}"
        if isinstance(line, dict) and "drop" in line:
            gates = _drop(gates, line, origin, where)
            continue
        if _changes_unknown(line):
            gates = _change_unknown(gates, line, origin, where)
            continue
        placed = PlacedGate(_read(line, where), origin, where)
        key = placed.gate.key
        if key in set_here:
            raise BadInput(f"a second gate on {placed.gate.metric}", where=where, remedy="give one gate per metric, slice and comparison")
        set_here.add(key)
        positions = [index for index, other in enumerate(gates) if other.gate.key == key]
        if positions:
            gates[positions[0]] = placed
        else:
            gates.append(placed)
    return gates


def check_measured(placed: PlacedGate, slices: SlicesSettings) -> None:
    """Reject a gate on a value that no step measures. With `on_unknown: pass`, such a gate would always pass.

    Raises:
        BadInput: the metric is not compared with the champion, not measured by slice, or the profile makes no such slices.
    """
    gate = placed.gate
    features = set(parse_slice(gate.slice))
    slice_columns = [{column} for column in slices.columns] + [set(cross) for cross in slices.crosses]
    fault = ""
    if gate.against and gate.metric not in COMPARED:
        fault = f"{gate.metric} is not compared with the champion; {' and '.join(COMPARED)} are, as they do not depend on the tokenizer"
    elif features and gate.metric not in SLICED:
        fault = f"{gate.metric} is not measured by slice; {', '.join(SLICED)} are"
    elif features and features not in slice_columns:
        fault = f"the profile has no slices by {' and '.join(sorted(features))}"
    if fault:
        raise BadInput(fault, where=placed.where, remedy="see docs/reference/gates.md")


def _read(line: Any, where: str) -> Gate:
    try:
        gate = _READER.validate_python(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInput(validation_message(first["msg"]), where=".".join([where, *map(str, first["loc"])])) from None
    if gate.metric not in METRICS:
        suggestions = difflib.get_close_matches(gate.metric, METRICS, 1)
        remedy = f"did you mean {suggestions[0]}?" if suggestions else f"the metrics are {', '.join(METRICS)}"
        raise BadInput("no such metric", where=f"{where}.metric = {gate.metric!r}", remedy=remedy)
    return gate


def _drop(gates: Sequence[PlacedGate], line: dict[str, Any], origin: str, where: str) -> list[PlacedGate]:
    pattern, reason = line.get("metric"), line["drop"]
    if set(line) - {"metric", "slice", "against", "drop"} or not isinstance(pattern, str):
        raise BadInput("a dropped gate must have metric and drop, and can have slice and against", where=where)
    if not isinstance(reason, str) or not reason.strip():
        raise BadInput("a gate is dropped without a reason", where=where, remedy='write drop: "the reason"')

    matches = _pattern(line, pattern)
    if not any(matches(placed.gate) and not placed.dropped for placed in gates):
        raise BadInput(f"no gate matches {pattern}", where=where)
    return [
        PlacedGate(placed.gate, origin, where, reason) if matches(placed.gate) and not placed.dropped else placed for placed in gates
    ]  # fmt: skip


def _pattern(line: dict[str, Any], pattern: str) -> Callable[[Gate], bool]:
    """Return the test whether a gate matches `metric`, and `slice` and `against` if the line has them."""

    def matches(gate: Gate) -> bool:
        exact = (line.get("slice", gate.slice), line.get("against", gate.against)) == (gate.slice, gate.against)
        return exact and fnmatchcase(gate.metric, pattern)

    return matches


def _changes_unknown(line: Any) -> bool:
    return isinstance(line, dict) and "on_unknown" in line and not {"min", "max", "margin"} & set(line)


def _change_unknown(gates: Sequence[PlacedGate], line: dict[str, Any], origin: str, where: str) -> list[PlacedGate]:
    pattern, on_unknown = line.get("metric"), line["on_unknown"]
    if set(line) - {"metric", "slice", "against", "on_unknown"} or not isinstance(pattern, str):
        raise BadInput("a change of on_unknown must have metric and on_unknown, and can have slice and against", where=where)
    if on_unknown not in ON_UNKNOWN:
        raise BadInput(
            "not a verdict on the unknown", where=f"{where}.on_unknown = {on_unknown!r}", remedy=f"use {' or '.join(ON_UNKNOWN)}"
        )
    matches, by_pattern = _pattern(line, pattern), "*" in pattern or "?" in pattern or "[" in pattern

    def changed(placed: PlacedGate) -> bool:
        return matches(placed.gate) and not placed.dropped and not (by_pattern and placed.gate.on_unknown == "pass")

    if not any(matches(placed.gate) and not placed.dropped for placed in gates):
        raise BadInput(f"no gate matches {pattern}", where=where)
    return [
        replace(placed, gate=replace(placed.gate, on_unknown=on_unknown), unknown_origin=origin) if changed(placed) else placed
        for placed in gates
    ]
