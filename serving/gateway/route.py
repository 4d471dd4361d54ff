"""Which version answers whom (SERVE-5). Pure: the same person gets the same version as long as the shares stand."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

CHAMPION, CANARY = "champion", "canary"


@dataclass(frozen=True)
class Arm:
    """A version, and how many of the users it answers.

    Attributes:
        weight: not negative; of the sum of all arms' weights.
    """

    name: str
    version: int
    weight: float


def arms(champion: int, canary: int | None, share: float) -> tuple[Arm, ...]:
    """The arms of a canary that gets `share`, 0 to 1, of the users. The canary stands first: a larger share only adds to those it had."""
    if canary is None or canary == champion or share <= 0:
        return (Arm(CHAMPION, champion, 1.0),)
    return Arm(CANARY, canary, share), Arm(CHAMPION, champion, 1.0 - share)


def choose(user: str, among: Sequence[Arm], experiment: str = "") -> Arm:
    """The arm of `user`.

    Args:
        among: at least one, of a positive weight in sum.
        experiment: another one deals users out anew; the canary's digest, say.

    Raises:
        ValueError: no arm has any weight.
    """
    total = sum(arm.weight for arm in among)
    if not total > 0 or any(arm.weight < 0 for arm in among):
        raise ValueError("weights are not negative, and one is more than 0")
    digest = hashlib.blake2b(f"{experiment}\0{user}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    point = int.from_bytes(digest, "big") / 2**64 * total
    for arm in among:
        if point < arm.weight:
            return arm
        point -= arm.weight
    return next(arm for arm in reversed(among) if arm.weight > 0)  # sums of floats may fall short by a last bit
