"""The policy of a canary: the steps of the ramp, the guardrails with their margins, and the error rates (SERVE-5)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

OnHarm = Literal["roll_back", "hold"]
OnUnknown = Literal["wait", "pass"]
OnTimeout = Literal["hold", "roll_back"]


@dataclass(frozen=True)
class Guardrail:
    """What one guardrail allows, and what follows from it.

    Args:
        margin: largest acceptable harm, in the unit of the guardrail (`robo_poet.judges.canary.guardrails`). It is more than 0.
        on_harm: what is done if a harm is proven and the estimate is above the margin.
        on_unknown: `wait` if a promotion needs the proof that the harm is below the margin; `pass` if the guardrail can only veto.
    """

    margin: float
    on_harm: OnHarm = "roll_back"
    on_unknown: OnUnknown = "wait"


DEFAULT_GUARDRAILS: Mapping[str, Guardrail] = MappingProxyType(
    {
        "errors": Guardrail(0.02),
        "refusals": Guardrail(0.02),
        "slow": Guardrail(0.05),
        "degenerate": Guardrail(0.03),
        "length": Guardrail(0.10),
        "quality": Guardrail(0.05),
        "ratings": Guardrail(0.1, on_harm="hold", on_unknown="pass"),
    }
)


@dataclass(frozen=True)
class Policy:
    """How a canary is exposed and judged.

    Args:
        steps: share of the users that are assigned to the canary in each step of the ramp, increasing, between 0 and 1.
        min_users: users of both arms together that a step needs before the next one.
        min_minutes: time that a step needs before the next one, in minutes.
        max_hours: longest time of the whole ramp, in hours.
        on_timeout: what is done after `max_hours` if the evidence is not sufficient.
        watch_share: share of the users that stay with the former champion after a promotion. 0: there is no watch.
        watch_hours: duration of the watch, in hours.
        false_rollback: largest probability that a version that is not worse is ever rolled back, over all guardrails and looks.
        false_promotion: largest probability that a version whose harm reaches one of the margins is ever promoted.
        max_lost: largest share of lost outcome records of an arm.
        stale_minutes: age of the newest observation from which no decision is made, in minutes.
        user_requests: an observation of a user is complete after this number of requests …
        user_minutes: … or this time, in minutes.
        guardrails: name → guardrail.

    Raises:
        ValueError: a value is out of range, or two values contradict each other.
    """

    steps: tuple[float, ...] = (0.05, 0.25, 0.5, 0.95)
    min_users: int = 500
    min_minutes: float = 60
    max_hours: float = 168
    on_timeout: OnTimeout = "hold"
    watch_share: float = 0.05
    watch_hours: float = 24
    false_rollback: float = 0.05
    false_promotion: float = 0.04
    max_lost: float = 0.01
    stale_minutes: float = 60
    user_requests: int = 20
    user_minutes: float = 30
    guardrails: Mapping[str, Guardrail] = field(default_factory=lambda: dict(DEFAULT_GUARDRAILS))

    def __post_init__(self) -> None:
        if not self.steps or any(not 0 < share < 1 for share in self.steps):
            raise ValueError(f"steps: {list(self.steps)}: give at least one share between 0 and 1")
        if any(later <= earlier for earlier, later in zip(self.steps, self.steps[1:], strict=False)):
            raise ValueError(f"steps: {list(self.steps)}: each share must be larger than the one before")
        for name in ("min_users", "min_minutes", "max_hours", "watch_hours", "stale_minutes", "user_requests", "user_minutes"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name}: {getattr(self, name)}: give a number above 0")
        for name in ("watch_share", "false_rollback", "false_promotion", "max_lost"):
            if not 0 <= getattr(self, name) < 0.5:
                raise ValueError(f"{name}: {getattr(self, name)}: give a share from 0 to less than 0.5")
        if not (self.false_rollback and self.false_promotion):
            raise ValueError("false_rollback, false_promotion: an error rate of 0 would need endless evidence")
        if self.min_minutes * len(self.steps) > 60 * self.max_hours:
            needed = self.min_minutes * len(self.steps) / 60
            raise ValueError(f"max_hours: {self.max_hours:g}: the {len(self.steps)} steps need at least {needed:g} h (min_minutes)")
        for name, guardrail in self.guardrails.items():
            if name not in DEFAULT_GUARDRAILS:
                raise ValueError(f"guardrails.{name}: unknown guardrail; known are {', '.join(DEFAULT_GUARDRAILS)}")
            if not (math.isfinite(guardrail.margin) and guardrail.margin > 0):
                raise ValueError(f"guardrails.{name}.margin: {guardrail.margin}: give a number above 0")

    def share(self, step: int) -> float:
        """Return the share of the users that are assigned to the canary in a step; the index after the last step is the watch."""
        return self.steps[step] if step < len(self.steps) else 1 - self.watch_share

    def in_watch(self, step: int) -> bool:
        """Return True if the step index means the watch after a promotion."""
        return step == len(self.steps)
