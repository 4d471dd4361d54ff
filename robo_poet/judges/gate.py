"""A gate: what the profile demands of one metric (EVAL-6)."""

from dataclasses import dataclass
from typing import Literal

from robo_poet.judges.directions import Direction, better
from robo_poet.judges.numbers import finite, text
from robo_poet.judges.slices import parse_slice


@dataclass(frozen=True)
class Gate:
    """A metric and the bound it must keep, limits included; or how much worse than the champion it may be.

    Args:
        slice: of which texts (see `slices`); "" is all of them, "author=*" is each author.
        against: "champion" needs a margin and no limits; else at least one limit and no margin.
        margin: in the metric's unit, from 0 on. The whole interval of the difference must keep it.
        on_unknown: what becomes of a slice or a comparison that too little was measured to judge.
    """

    metric: str
    min: float | None = None
    max: float | None = None
    slice: str = ""
    against: Literal["", "champion"] = ""
    margin: float | None = None
    on_unknown: Literal["reject", "pass"] = "reject"

    @property
    def better(self) -> Direction | None:
        """Which way the metric is better."""
        return better(self.metric)

    @property
    def bound(self) -> str:
        """In words, such as ">= 0.3 and <= 1" or "<= champion + 0.02"."""
        if self.against:
            sign, of = ("<=", "+") if self.better == "lower" else (">=", "-")
            return f"{sign} {self.against} {of} {text(self.margin)}"
        signs = ((">=", self.min), ("<=", self.max))
        return " and ".join(f"{sign} {text(limit)}" for sign, limit in signs if limit is not None)

    def fault(self) -> str:
        """Why this gate can judge nothing; empty if it can."""
        limits = [limit for limit in (self.min, self.max) if limit is not None]
        try:
            parse_slice(self.slice)
        except ValueError as error:
            return f"the gate on {self.metric} names no slice: {error}"
        if not self.against:
            if self.margin is not None:
                return f"the gate on {self.metric} has a margin, but nothing to compare with"
            if not limits or any(finite(limit) is None for limit in limits):
                return f"the gate on {self.metric} has no bound, or one that is no finite number"
            return ""
        if self.against != "champion":
            return f"the gate on {self.metric} is against {self.against!r}, not the champion"
        if limits:
            return f"the gate on {self.metric} has both a bound and the champion to keep to: make two gates of it"
        margin = finite(self.margin)
        if margin is None or margin < 0:
            return f"the gate on {self.metric} against the champion has no margin that is a finite number from 0 on"
        return "" if self.better else f"whether a lower or a higher {self.metric} is better is not known: it cannot be compared"
