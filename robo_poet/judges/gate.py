"""A gate, the key of the slice that it judges, and its outcome on one slice (EVAL-5, EVAL-6).

A gate is the bound that the profile sets for one metric. A slice key is `author=John Keats,period=1800s`; "author=*" selects each author,
"" is all texts. Values are percent-encoded, so a key can be parsed in one way only. An outcome is not a verdict yet: `decision` applies
`on_unknown`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from robo_poet.judges.estimate import Interval, Shortage, finite
from robo_poet.judges.metrics import Direction, better, exact_text

OVERALL = ""
_SPECIAL = re.compile(r"[%=,*\x00-\x1f\x7f]")  # in a gate, `*` matches every value


def slice_key(values: Mapping[str, str]) -> str:
    """Return `column=value` pairs, sorted by column and joined by commas; '' for all documents.

    `%`, `=`, `,`, `*` and control characters in a value are percent-encoded, so that no two slices have the same key:
    `Marlowe, Christopher` becomes `author=Marlowe%2C Christopher`.
    """
    return ",".join(f"{column}={_SPECIAL.sub(_encode, values[column])}" for column in sorted(values))


def _encode(match: re.Match[str]) -> str:
    return f"%{ord(match.group()):02X}"


_FEATURE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def parse_slice(key: str) -> dict[str, str]:
    """Return feature → value, still encoded; a wildcard has the value "*". An empty value means documents without that feature.

    Raises:
        ValueError: the text is not a slice key, or a feature appears twice.
    """
    features: dict[str, str] = {}
    for pair in key.split(",") if key else []:
        name, sign, value = pair.partition("=")
        name = name.strip()
        if not (sign and _FEATURE.match(name)) or "=" in value:
            raise ValueError(f"{pair!r} is not feature=value")
        if name in features:
            raise ValueError(f"{name} is given twice")
        features[name] = value
    return features


def select(wanted: str, keys: Iterable[str]) -> list[str]:
    """Return the sorted keys that match `wanted`. The order of their features does not matter. Keys that cannot be parsed are skipped.

    Raises:
        ValueError: `wanted` is not a slice key.
    """
    pattern = parse_slice(wanted)

    def named(key: str) -> bool:
        try:
            features = parse_slice(key)
        except ValueError:
            return False
        return features.keys() == pattern.keys() and all(value in ("*", features[name]) for name, value in pattern.items())

    return sorted(filter(named, set(keys)))


ON_UNKNOWN = ("reject", "warn", "pass")


@dataclass(frozen=True)
class Gate:
    """A metric with its bound, or with a margin: how much worse than the champion's the metric may be.

    Args:
        metric: name of the metric, see `robo_poet.judges.metrics`.
        min, max: bounds, both inclusive, in the metric's unit; shares are from 0 to 1.
        slice: slice of the held-out texts, such as `author=Shakespeare`; `author=*` is every author; empty is all texts.
        against: `champion` compares with the champion on the same documents. It needs a margin and no bound.
        margin: how much worse than the champion the metric may be, in its unit, 0 or more. The whole interval must be within it.
        on_unknown: what happens if the gate cannot judge. `reject`: it fails. `warn`: it is an open question if only the amount of text
            or prompts was too small, else it fails. `pass`: it passes.
    """

    metric: str
    min: float | None = None
    max: float | None = None
    slice: str = ""
    against: Literal["", "champion"] = ""
    margin: float | None = None
    on_unknown: Literal["reject", "warn", "pass"] = "reject"

    @property
    def key(self) -> tuple[str, str, str]:
        """The key of the gate: metric, slice and comparison. A profile has at most one gate for each key."""
        return (self.metric, self.slice, self.against)

    @property
    def better(self) -> Direction | None:
        """The direction in which the metric improves."""
        return better(self.metric)

    @property
    def bound(self) -> str:
        """The bound in the metric's unit, such as `>= 15%` or `<= champion + 0.02`."""
        if self.against:
            sign, operator = ("<=", "+") if self.better == "lower" else (">=", "-")
            return f"{sign} {self.against} {operator} {exact_text(self.metric, self.margin)}"
        limits = ((">=", self.min), ("<=", self.max))
        return " and ".join(f"{sign} {exact_text(self.metric, limit)}" for sign, limit in limits if limit is not None)

    def to_json(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}

    def fault(self) -> str:
        """Return the reason why this gate cannot judge anything. It is empty if there is none."""
        limits = [limit for limit in (self.min, self.max) if limit is not None]
        try:
            parse_slice(self.slice)
        except ValueError as error:
            return f"gate on {self.metric}: wrong slice: {error}"
        if self.on_unknown not in ON_UNKNOWN:
            return f"gate on {self.metric}: on_unknown is {self.on_unknown!r}; use {', '.join(ON_UNKNOWN[:-1])} or {ON_UNKNOWN[-1]}"
        if not self.against:
            return self._bound_fault(limits)
        if self.against != "champion":
            return f"gate on {self.metric}: against is {self.against!r}; only champion is possible"
        if limits:
            return f"gate on {self.metric} has a bound and compares with the champion: make two gates"
        margin = finite(self.margin)
        if margin is None or margin < 0:
            return f"gate on {self.metric} against the champion needs a margin: a finite number, 0 or more"
        return "" if self.better else f"gate on {self.metric} cannot compare with the champion: the metric has no better direction"

    def _bound_fault(self, limits: list[float]) -> str:
        if self.margin is not None:
            return f"gate on {self.metric} has a margin but no comparison: add against: champion"
        if not limits or any(finite(limit) is None for limit in limits):
            return f"gate on {self.metric} has no bound: give min or max, a finite number"
        if self.min is not None and self.max is not None and self.min > self.max:
            return f"gate on {self.metric} can never pass: min is above max"
        return ""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a gate on one slice. `GateResult` describes the fields.

    `low` and `high` are finite and enclose `value`, or both are None. `shortage` says what was needed and what was there, for an unknown
    and for a value that is missing.
    """

    slice: str
    state: Literal["pass", "fail", "unknown"]
    reason: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    shortage: Shortage | None = None

    def within(self, interval: Interval | None) -> "Outcome":
        """Return a copy with the limits of `interval` if they are finite and enclose the value; otherwise return this outcome."""
        low, high = (finite(interval.low), finite(interval.high)) if interval else (None, None)
        if self.value is None or low is None or high is None or not low <= self.value <= high:
            return self
        return replace(self, low=low, high=high)
