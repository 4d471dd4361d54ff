"""Section `monitoring.retraining` of a profile: when an alert about a drift starts a training run, and what the runs may cost (MON-4)."""

from typing import Literal

from pydantic import Field, model_validator

from robo_poet.judges.retraining.policy import RetrainingPolicy
from robo_poet.settings.base import Settings


class RetrainingSettings(Settings):
    """Section `monitoring.retraining`."""

    host: str = Field("127.0.0.1", description="address on which `retrain listen` takes alerts; `0.0.0.0` lets other machines send them")
    port: int = Field(9465, ge=0, le=65535, description="port on which it takes alerts; 0 takes a free one")
    enabled: Literal["off", "ask", "automatic"] = Field(
        RetrainingPolicy.enabled, description="`ask`: a person approves each retraining; `automatic`: it starts at once; `off`: none starts"
    )
    cool_down_hours: float = Field(
        RetrainingPolicy.cool_down_hours, ge=0, le=8760, description="time between the end of a run and the next one, in hours"
    )
    budget_hours: float = Field(
        RetrainingPolicy.budget_hours, gt=0, le=8760, description="hours of all runs that the trigger starts in a calendar month (UTC)"
    )
    run_hours: float = Field(
        RetrainingPolicy.run_hours, ge=0, le=8760, description="expected hours of a run; a run that does not fit into the budget waits"
    )
    attempts: int = Field(
        RetrainingPolicy.attempts, ge=1, le=100,
        description="runs for one cause, if the earlier ones failed; then a person has to approve it again",
    )  # fmt: skip
    retry_minutes: float = Field(
        RetrainingPolicy.retry_minutes, ge=0, le=10_080, description="time before the second attempt, in minutes; it doubles each time"
    )
    corpus: str = Field("", max_length=4000, description="corpus with your new texts; empty: the champion's corpus, which may have grown")
    live_text: bool = Field(False, description="train on the prompts with consent too, beside the corpus")
    live_text_days: float = Field(14, gt=0, le=3650, description="days before a run whose prompts it uses, if `live_text` is on")
    warm_start: bool = Field(False, description="start from the weights of the champion instead of random weights")

    @model_validator(mode="after")
    def _check_policy(self) -> "RetrainingSettings":
        self.policy()
        return self

    def policy(self) -> RetrainingPolicy:
        """Return the policy of the judge.

        Raises:
            ValueError: two settings contradict each other.
        """
        return RetrainingPolicy(
            enabled=self.enabled, cool_down_hours=self.cool_down_hours, budget_hours=self.budget_hours, run_hours=self.run_hours,
            attempts=self.attempts, retry_minutes=self.retry_minutes,
        )  # fmt: skip
