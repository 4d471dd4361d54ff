"""The relative rise of the live perplexity over the baseline, with bounds (MON-3).

The perplexity of a window is exp of the mean over users of each user's mean cross-entropy. A user with many prompts counts as much as one
with a single prompt, so one client cannot move the value. The rise is exp(d) − 1, where d is the mean over users of the score minus the
mean of the baseline's users with prompts of the same length. Its standard error is that of Welch (1947): the users of the window and those
of the baseline are independent samples. The bounds are those of Student's t with the freedom of Satterthwaite (1946).
"""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robo_poet.judges.distributions import quantile
from robo_poet.judges.drift.baseline import expected_by_length, expected_error
from robo_poet.judges.drift.observations import Baseline, Window

MOST_NATS = 15.0  # above ln(vocabulary) of all our models; a score above it counts as this, so that one broken score moves little


@dataclass(frozen=True)
class Rise:
    """The rise of a window.

    Attributes:
        users: number of users.
        perplexity: live perplexity of the window.
        estimate: relative rise; 0.2 means 20 % more.
        low, high: its one-sided lower and upper bounds.
        excess: (users,) score minus expected score, in nats per token.
    """

    users: int
    perplexity: float
    estimate: float
    low: float
    high: float
    excess: NDArray[np.float64]


def clipped(window: Window) -> NDArray[np.float64]:
    """Return the (users,) scores in nats per token, at most `MOST_NATS`.

    Raises:
        ValueError: the window has no user, or a score is not finite.
    """
    nats = np.asarray([user.nats for user in window.users], np.float64)
    if not len(nats) or not np.isfinite(nats).all():
        raise ValueError("a window needs users with finite scores")
    return np.clip(nats, 0.0, MOST_NATS)


def live_perplexity(window: Window) -> float:
    """Return exp of the mean score of the users. Errors as in `clipped`."""
    return math.exp(float(clipped(window).mean()))


def rise(window: Window, baseline: Baseline, level: float) -> Rise:
    """Return the rise of a window over the baseline.

    Args:
        level: error probability of each bound, in (0, 0.5).

    Raises:
        ValueError: the window has no user, or a score is not finite.
    """
    nats = clipped(window)
    classes = [user.value("length") for user in window.users]
    groups = expected_by_length(baseline)
    excess = nats - np.asarray([groups[value].mean for value in classes])
    count = len(nats)
    here = float(excess.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    before = expected_error(baseline, {value: number / count for value, number in Counter(classes).items()})
    difference, error = float(excess.mean()), math.hypot(here, before)
    reach = error * quantile(1 - level, _freedom(here, count, before, baseline.everyone.users)) if math.isfinite(error) else math.inf
    return Rise(count, live_perplexity(window), math.expm1(difference), math.expm1(difference - reach), _expm1(difference + reach), excess)


def _freedom(here: float, count: int, before: float, others: int) -> float:
    total = here**2 + before**2
    if total == 0:
        return float(max(1, count - 1))
    return total**2 / (here**4 / max(1, count - 1) + before**4 / max(1, others - 1))


def _expm1(number: float) -> float:
    return math.expm1(number) if number < 700 else math.inf
