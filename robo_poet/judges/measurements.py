"""What the gates judge: a model's figures, and how they differ from the champion's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


class Interval(Protocol):
    """What an `Estimate` looks like. Limits of None are as infinite ones, which JSON has no word for."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def units(self) -> int: ...


@dataclass(frozen=True)
class Measurements:
    """All that is known of a model before it is released. What is left out is unknown, and the gates fail closed on it.

    Args:
        metrics: overall, by name; None, NaN and infinity are as good as missing.
        intervals: of the same, where there are some; shown beside the values.
        slices: by slice ("author=Shakespeare", see `slices`) and metric.
        champion: "none" if there is none to compare with, which only whoever has asked the registry can say; "measured"; "unreadable".
        differences: new less champion, on the same documents, by slice ("" is overall) and metric, with 95 % intervals.
    """

    metrics: Mapping[str, float | None]
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    slices: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    champion: Literal["none", "measured", "unreadable"] = "unreadable"
    differences: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)

    def keys(self) -> set[str]:
        """All slices, without the whole."""
        return {*self.slices, *self.differences} - {""}

    def knows(self, metric: str) -> bool:
        """Whether the metric was measured anywhere."""
        return any(metric in found for found in (self.metrics, *self.slices.values(), *self.differences.values()))
