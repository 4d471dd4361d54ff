"""A gate: one metric and the bound it must keep (EVAL-6)."""

from pydantic import Field, model_validator

from robo_poet.settings.base import Settings


class Gate(Settings):
    """One line of `gates` in a profile. A metric that is missing or not a number is outside every bound."""

    metric: str = Field(min_length=1, description="a metric of the evaluation, such as perplexity")
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "Gate":
        if self.min is None and self.max is None:
            raise ValueError(f"gate on {self.metric} has no bound: give min or max")
        return self
