"""What a judge of a canary sees: one observation for each user and step, and the facts of the step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

CHAMPION: Final = "champion"
CANARY: Final = "canary"


@dataclass(frozen=True)
class UserObservation:
    """One user in one step of the ramp, frozen after a number of requests or a time.

    Attributes:
        step: index of the step in the policy, from 0. In the watch after a promotion it is the number of steps.
        arm: the assigned arm, `champion` or `canary`. In the watch the former champion is `champion`, and the promoted version `canary`.
        user: pseudonym.
        frozen: seconds since 1970 when the observation was frozen.
        requests: counted requests, of all statuses.
        failed: 5xx, timeouts, and streams that the server broke.
        refused: answers that the content filter withheld or cut.
        completions: requests that returned a text.
        slow: completions slower than the service level, in seconds per 100 tokens.
        degenerate: completions with a degenerate text.
        length: sum over the completions of the generated share of the tokens that the user asked for, each from 0 to 1. The wishes of users
            differ by a factor of 40, so tokens would need several times as many users for the same proof.
        quality: mean of (canary - champion) in bits per byte over the scored requests; None if none was scored.
        ratings: number of ratings.
        rating: sum of the ratings, each from -1 to 1.
    """

    step: int
    arm: str
    user: str
    frozen: float
    requests: int
    failed: int
    refused: int
    completions: int
    slow: int
    degenerate: int
    length: float
    quality: float | None
    ratings: int = 0
    rating: float = 0.0


@dataclass(frozen=True)
class StepFacts:
    """What a judge needs besides the users.

    Attributes:
        step: index of the current step.
        started, now, canary_started: times in seconds since 1970.
        lost: share of lost records for each arm, 0 to 1.
        identified: False if requests have no user of their own, for example because one key is used for everybody.
        newest: time of the last sign of life of a gateway, in seconds since 1970; None if there is none.
        fallback: share of the canary's users that another version served, because the canary could not be called; 0 to 1.
        shares: step → share of the canary's users in it, as recorded in the log; by default those of the policy.
    """

    step: int
    started: float
    now: float
    canary_started: float
    lost: Mapping[str, float]
    identified: bool
    newest: float | None = None
    fallback: float = 0.0
    shares: Mapping[int, float] = field(default_factory=dict)
