"""What is measured on a slice: ratios of sums over its documents."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from robo_poet.evaluation.documents import Measured

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A metric: `shown` of the sum of `amount` over the sum of `weight`. `shown` is increasing, so it maps intervals too."""

    weight: Literal["bytes", "tokens"]
    amount: Callable[[Measured], float]
    shown: Callable[[float], float] = float

    def sums(self, documents: Sequence[Measured]) -> tuple[Array, Array]:
        """Amount and weight of each document."""
        amounts = np.asarray([self.amount(one) for one in documents], np.float64)
        return amounts, np.asarray([getattr(one, self.weight) for one in documents], np.float64)


def _exp(nats: float) -> float:
    return math.exp(nats) if nats < 700 else math.inf


MEASURES: Mapping[str, Measure] = {
    "bits_per_byte": Measure("bytes", lambda one: one.nats / math.log(2)),
    "perplexity": Measure("tokens", lambda one: one.nats, _exp),
    "token_accuracy": Measure("tokens", lambda one: one.first),
    "top5_accuracy": Measure("tokens", lambda one: one.among_five),
}
