"""Measured values with confidence intervals, shortages of text or prompts, and the collection of all values that the gates judge.

Standard library only, because the step gate_model has no NumPy.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, Self


def finite(value: object) -> float | None:
    """Return `value` as a float if it is a finite number, else None. Input may be any JSON value; a bool is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of more than 308 digits
        return None
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class Estimate:
    """A measured value with its confidence interval.

    Args:
        value: the measurement.
        low, high: lower and upper limit of the interval; infinite if too little was measured.
        units: number of independent units behind it.
        unit: the kind of unit in the singular: work, document, block, prompt, template.
    """

    value: float
    low: float
    high: float
    units: int
    unit: str = "unit"


class Interval(Protocol):
    """The interface of an `Estimate`. A limit of None means infinite, which JSON cannot express."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def units(self) -> int: ...


Kind = Literal["amount", "missing", "doubt"]


@dataclass(frozen=True)
class Shortage:
    """What a measurement needed and what there was. It explains an unknown, as data and as text.

    Args:
        what: what is counted, such as "prompts in group religion/atheists".
        needed, there: counts. `needed` is an estimate if the needed number depends on the spread of the data.
        kind: "amount": measured correctly, but too little text, works or prompts. "missing": there is no value. "doubt": the value is
            outside the bound, but not significantly. Only "amount" can become an open question.
        remedy: the setting that increases `there` to `needed`, in the form that a user types; empty if the step knows none.
    """

    what: str
    needed: int
    there: int
    kind: Kind = "amount"
    remedy: str = ""

    @property
    def text(self) -> str:
        """The shortage in words, such as "11 prompts in group religion/atheists, 15 needed"."""
        return f"{self.there:,} {self.what}, {self.needed:,} needed"

    @property
    def is_amount(self) -> bool:
        """True if something was measured, but less than needed."""
        return self.kind == "amount" and 0 < self.there < self.needed

    def to_json(self) -> dict[str, Any]:
        """Return the entry of an artifact's `shortages`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read the value that `to_json` returned.

        Raises:
            ValueError: a key is missing, or a value has a wrong type or is negative.
        """
        try:
            what, needed, there = value["what"], value["needed"], value["there"]
            kind, remedy = value.get("kind", "amount"), value.get("remedy", "")
        except (AttributeError, KeyError, TypeError):
            raise ValueError("a shortage needs what, needed and there") from None
        counts = all(isinstance(count, int | float) and not isinstance(count, bool) and 0 <= count < 1e15 for count in (needed, there))
        if not (isinstance(what, str) and isinstance(remedy, str) and counts and kind in ("amount", "missing", "doubt")):
            raise ValueError("a shortage has a value of a wrong type")
        return cls(what, int(needed), int(there), kind, remedy)


MINIMUM_UNITS = 5  # with fewer independent units there is no interval


def too_few_units(estimate: Interval, of: str = "") -> Shortage:
    """Return the shortage of an estimate that has no interval.

    With MINIMUM_UNITS or more, nearly all units are equal, or one unit holds nearly all text. Then twice as many are asked for.

    Args:
        of: the end of the text, such as " of author=Shakespeare".
    """
    needed = MINIMUM_UNITS if estimate.units < MINIMUM_UNITS else 2 * estimate.units
    return Shortage(f"{getattr(estimate, 'unit', 'unit')}s{of}", needed, estimate.units)


@dataclass(frozen=True)
class GateInput:
    """All measurements of a model before release. Missing entries are unknown, and the gates fail closed on them.

    Args:
        metrics: overall values by name; None, NaN and infinity count as missing.
        intervals: intervals of some of these values. They are shown, but an overall gate does not need them.
        slices: values by slice ("author=Shakespeare", see `slices`) and metric.
        champion: "none" if the registry has no champion; "measured"; "unreadable".
        differences: new model minus champion on the same documents, with 95 % intervals, by slice ("" is overall) and metric.
        shortages: why a value or an interval is missing, by slice ("" is overall) and metric; the metric "" is every metric of the slice.
        limited: the estimate whose upper limit a metric is, by metric: for `bias_likelihood_reach`, the |gap| of the group with this limit.
    """

    metrics: Mapping[str, float | None]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    slices: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    champion: Literal["none", "measured", "unreadable"] = "unreadable"
    differences: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    shortages: Mapping[str, Mapping[str, Shortage]] = field(default_factory=dict)
    limited: Mapping[str, Estimate] = field(default_factory=dict)

    def slice_keys(self) -> set[str]:
        """Return all slices except the overall one."""
        return {*self.slices, *self.differences} - {""}

    def shortage(self, key: str, metric: str) -> Shortage | None:
        """Return the recorded shortage of a metric on a slice, None if there is none."""
        by_metric = self.shortages.get(key, {})
        return by_metric.get(metric) or by_metric.get("")

    def has_metric(self, metric: str) -> bool:
        """Return True if the metric was measured overall or on any slice."""
        return any(metric in values for values in (self.metrics, *self.slices.values(), *self.differences.values()))
