"""Section `canary` of a profile: how a canary is exposed, judged and reported (SERVE-5). It builds the policy of the canary judge."""

from typing import Literal

from pydantic import Field, model_validator

from robo_poet.judges.canary.policy import DEFAULT_GUARDRAILS, Guardrail, Policy
from robo_poet.settings.base import Settings

Name = Literal["errors", "refusals", "slow", "degenerate", "length", "quality", "ratings"]  # the keys of DEFAULT_GUARDRAILS


class MarginSettings(Settings):
    """Section `canary.margins`: the largest acceptable harm of each guardrail. 0.02 of a share are 2 percentage points."""

    errors: float = Field(DEFAULT_GUARDRAILS["errors"].margin, gt=0, lt=1, description="share of failed requests")
    refusals: float = Field(DEFAULT_GUARDRAILS["refusals"].margin, gt=0, lt=1, description="share of withheld answers")
    slow: float = Field(DEFAULT_GUARDRAILS["slow"].margin, gt=0, lt=1, description="share of slow requests")
    degenerate: float = Field(DEFAULT_GUARDRAILS["degenerate"].margin, gt=0, lt=1, description="share of degenerate texts")
    length: float = Field(DEFAULT_GUARDRAILS["length"].margin, gt=0, lt=1, description="relative change of the length of a completion")
    quality: float = Field(
        DEFAULT_GUARDRAILS["quality"].margin, gt=0, lt=1, description="bits per byte, of the shadow score of both versions on equal text"
    )
    ratings: float = Field(DEFAULT_GUARDRAILS["ratings"].margin, gt=0, lt=1, description="mean rating, on a scale from 0 to 1")


class NotifySettings(Settings):
    """Section `canary.notify`: who is told about each move of a release."""

    webhook_variable: str = Field(
        "ROBO_POET_WEBHOOK_URL", description="environment variable with an address that gets each move as JSON; unset: none"
    )
    slack_variable: str = Field("ROBO_POET_SLACK_URL", description="environment variable with the address of a Slack webhook; unset: none")
    command: tuple[str, ...] = Field((), max_length=50, description="command that gets each move as a JSON line on its standard input")
    link: str = Field("", max_length=500, description="address that notifications name, such as that of the console")


class CanarySettings(Settings):
    """Section `canary` of a profile."""

    steps: tuple[float, ...] = Field(
        Policy.steps, min_length=1, max_length=20, description="share of the users that get the canary in each step, increasing"
    )
    min_users: int = Field(Policy.min_users, ge=1, description="users that a step needs, of both arms together")
    min_minutes: float = Field(Policy.min_minutes, gt=0, description="time that a step needs, in minutes")
    max_hours: float = Field(Policy.max_hours, gt=0, description="longest time of the whole ramp, in hours")
    on_timeout: Literal["hold", "roll_back"] = Field(Policy.on_timeout, description="what is done after it without enough evidence")
    watch_share: float = Field(
        Policy.watch_share, ge=0, lt=0.5, description="share of the users that stay with the former champion after a promotion; 0: none"
    )
    watch_hours: float = Field(Policy.watch_hours, gt=0, description="time for which they stay, in hours")
    false_rollback: float = Field(
        Policy.false_rollback, gt=0, lt=0.5, description="largest probability to roll back a version that is not worse"
    )
    false_promotion: float = Field(
        Policy.false_promotion, gt=0, lt=0.5, description="largest probability to promote a version whose harm reaches a margin"
    )
    max_lost: float = Field(Policy.max_lost, ge=0, lt=0.5, description="largest share of lost outcome records of an arm")
    stale_minutes: float = Field(
        Policy.stale_minutes, gt=0, description="age of the newest sign of a gateway after which nothing is decided"
    )
    user_requests: int = Field(
        Policy.user_requests, ge=1, description="a user's observation in a step ends after this number of requests …"
    )
    user_minutes: float = Field(Policy.user_minutes, gt=0, description="… or this time, in minutes")
    slow_seconds: float = Field(2.0, gt=0, description="a request is slow if it took longer, in seconds for 100 tokens")
    look_seconds: float = Field(5.0, gt=0, le=600, description="seconds between two looks of the controller")
    margins: MarginSettings = MarginSettings()
    only_veto: tuple[Name, ...] = Field(("ratings",), description="guardrails that a promotion needs no proof for")
    hold_for: tuple[Name, ...] = Field(("ratings",), description="guardrails whose proven harm waits for a person instead of a roll-back")
    ignored: tuple[Name, ...] = Field((), description="guardrails that are not judged")
    notify: NotifySettings = NotifySettings()

    @model_validator(mode="after")
    def _check_policy(self) -> "CanarySettings":
        self.policy()
        return self

    def policy(self) -> Policy:
        """Return the policy of the judge.

        Raises:
            ValueError: two settings contradict each other.
        """
        guardrails = {
            name: Guardrail(margin, "hold" if name in self.hold_for else "roll_back", "pass" if name in self.only_veto else "wait")
            for name, margin in self.margins.model_dump().items()
            if name not in self.ignored
        }
        if all(guardrail.on_unknown == "pass" for guardrail in guardrails.values()):
            raise ValueError("ignored, only_veto: no guardrail is left that a promotion has to prove")
        own = {"slow_seconds", "look_seconds", "margins", "only_veto", "hold_for", "ignored", "notify"}
        return Policy(**{name: getattr(self, name) for name in type(self).model_fields if name not in own}, guardrails=guardrails)
