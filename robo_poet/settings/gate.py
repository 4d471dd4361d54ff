"""Settings of one gate: a metric with absolute bounds, or with a margin to the champion (EVAL-6)."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from robo_poet.judges.directions import better
from robo_poet.judges.slices import parse_slice
from robo_poet.settings.base import Settings


class Gate(Settings):
    """One entry of `gates` in a profile. A metric that is missing or not a number is outside every bound."""

    metric: str = Field(min_length=1, description="a metric of the evaluation, such as perplexity")
    min: float | None = None
    max: float | None = None
    slice: str = Field("", description="of which texts, such as author=Shakespeare; author=* is each author; empty is all")
    against: Literal["", "champion"] = Field("", description="champion: compare with the champion on the same documents")
    margin: float | None = Field(None, ge=0, description="how much worse than the champion it may be, in the metric's unit")
    on_unknown: Literal["reject", "pass"] = Field("reject", description="what becomes of what too little was measured to judge")

    @field_validator("slice")
    @classmethod
    def _named(cls, value: str) -> str:
        parse_slice(value)
        return value

    @model_validator(mode="after")
    def _bounded(self) -> "Gate":
        limits = self.min is not None or self.max is not None
        if self.against:
            if limits:
                raise ValueError(f"gate on {self.metric} has a bound and is against the champion: make two gates of it")
            if self.margin is None:
                raise ValueError(f"gate on {self.metric} against the champion has no margin: give one, 0 or more")
            if better(self.metric) is None:
                raise ValueError(f"gate on {self.metric} cannot be against the champion: whether lower or higher is better is not known")
        elif self.margin is not None:
            raise ValueError(f"gate on {self.metric} has a margin but nothing to compare with: give against: champion")
        elif not limits:
            raise ValueError(f"gate on {self.metric} has no bound: give min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"gate on {self.metric} keeps nothing: min is above max")
        return self
