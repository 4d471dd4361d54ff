"""What the drift judge sees: the scores of the users of a window, and the baseline as statistics (MON-3, contract 14)."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

LENGTHS: Final = (4, 8, 16, 32, 64)  # upper limits of the classes of prompt length, in tokens; the last class has no limit
LENGTH_CLASSES: Final = tuple(f"{least + 1}-{most}" for least, most in zip((0, *LENGTHS), LENGTHS, strict=False)) + (f"{LENGTHS[-1] + 1}+",)
DIMENSIONS: Final = ("language", "length", "client")


def length_class(tokens: float) -> str:
    """Return the class of a mean prompt length in tokens: `1-4`, `5-8`, …, `65+`."""
    return LENGTH_CLASSES[bisect_left(LENGTHS, tokens)]


@dataclass(frozen=True)
class UserScore:
    """The prompts of one user in one window.

    Attributes:
        nats: mean over the scored tokens of the cross-entropy of the user's prompts, in nats per token.
        prompts: number of scored prompts, at most the quota of a user.
        tokens: mean prompt length in tokens.
        broken: share of characters that are rare in prose: control and replacement characters, symbols of program code; 0 to 1.
        values: dimension → value, such as `language` → `es`; the dimensions except `length`. A dimension that was not recorded is missing.
    """

    nats: float
    prompts: int
    tokens: float
    broken: float = 0.0
    values: Mapping[str, str] = field(default_factory=dict)

    def known(self, dimension: str) -> bool:
        """Return True if the value in a dimension was recorded."""
        return dimension == "length" or dimension in self.values

    def value(self, dimension: str) -> str:
        """Return the user's value in a dimension; `unknown` if there is none."""
        return length_class(self.tokens) if dimension == "length" else self.values.get(dimension, "unknown")


@dataclass(frozen=True)
class Window:
    """A closed window of live traffic.

    Attributes:
        start, end: seconds since 1970.
        users: one score for each user with a scored prompt.
        unscored: share of the prompts that could not be scored, 0 to 1. Prompts above a user's quota do not count.
    """

    start: float
    end: float
    users: Sequence[UserScore]
    unscored: float = 0.0


@dataclass(frozen=True)
class HeldOut:
    """A small sample of the version's own held-out text, scored by the version as it is served. Same text, same model: the same score.

    Attributes:
        nats: mean cross-entropy in nats per token; None if it was not scored.
        sample: digest of the texts; empty if it was not scored.
        doubt: why it was not scored; empty if it was.
        passing: a later attempt may give a score, because the model server did not answer.
    """

    nats: float | None = None
    sample: str = ""
    doubt: str = "nobody scored it"
    passing: bool = False


NOT_SCORED: Final = HeldOut()
OLDER_WINDOW: Final = HeldOut(doubt="it is scored for the newest window only, because nobody knows what was served before")


@dataclass(frozen=True)
class Group:
    """Users of a baseline that have a value in common.

    Attributes:
        users: their number.
        mean: mean of their `nats`.
        deviation: standard deviation of their `nats`; 0 for fewer than two users.
    """

    users: int
    mean: float
    deviation: float


@dataclass(frozen=True)
class Baseline:
    """What live windows are compared with: numbers of the version's first accepted windows, never texts.

    Attributes:
        everyone: all users. A user of two windows counts twice.
        groups: dimension → value → the users with this value. A dimension that was not recorded is missing, or has no values.
        broken: mean over users of `UserScore.broken`.
        heldout: the version's held-out text, scored when the baseline was made.
    """

    everyone: Group
    groups: Mapping[str, Mapping[str, Group]]
    broken: float = 0.0
    heldout: HeldOut = NOT_SCORED
