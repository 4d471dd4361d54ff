"""The progress of a training, as a checkpoint stores it, and the rules of learning-rate reduction and early stopping (TRAIN-1)."""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from robo_poet.settings.train import TrainSettings


@dataclass(frozen=True)
class Schedule:
    """The state of the learning rate and of early stopping after some validations.

    Attributes:
        learning_rate: learning rate of the next steps.
        best: lowest validation perplexity so far.
        waited: validations since `best`, for early stopping.
        plateau: validations without improvement, counted for the next reduction.
        cooldown: remaining validations that are not counted, after a reduction.
    """

    learning_rate: float
    best: float = math.inf
    waited: int = 0
    plateau: int = 0
    cooldown: int = 0

    def after(self, perplexity: float, settings: TrainSettings) -> "Schedule":
        """Return the state after one more validation. The rule is that of Keras' ReduceLROnPlateau: a cooldown resets the count."""
        cooldown = max(0, self.cooldown - 1)
        if perplexity < self.best:
            return replace(self, best=perplexity, waited=0, plateau=0, cooldown=cooldown)
        plateau = (0 if self.cooldown else self.plateau) + (0 if cooldown else 1)
        rate = self.learning_rate
        if plateau >= max(1, settings.plateau_patience):
            rate = max(settings.min_learning_rate, rate * settings.plateau_factor)
            plateau, cooldown = 0, settings.plateau_cooldown
        return replace(self, learning_rate=rate, waited=self.waited + 1, plateau=plateau, cooldown=cooldown)

    def improved(self) -> bool:
        """Return True if the last validation is the best so far."""
        return self.waited == 0 and self.best < math.inf

    def finished(self, settings: TrainSettings) -> bool:
        """Return True if early stopping ends the training."""
        return self.waited >= settings.early_stopping_patience


@dataclass
class Progress:
    """The progress of a training. A checkpoint contains it together with the variables of the model and the optimizer.

    Attributes:
        schedule: state of the learning rate and of early stopping.
        history: points of the training curve.
        step: number of finished steps.
        tokens: number of targets seen.
        loss_sum, loss_tokens: sum of the loss (nats) and number of targets since the last point of the curve.
        hits, top_hits: number of targets since then that were the most likely token, or among the five most likely.
        best_step: step of the best validation; 0 before the first.
        notes: state of callbacks that must survive a kill, as JSON values.
    """

    schedule: Schedule
    history: list[dict[str, Any]]
    step: int = 0
    tokens: int = 0
    loss_sum: float = 0.0
    loss_tokens: float = 0.0
    hits: float = 0.0
    top_hits: float = 0.0
    best_step: int = 0
    notes: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the form that a checkpoint stores."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Progress":
        """Restore from the result of `to_json`."""
        return cls(**{**kept, "schedule": Schedule(**kept["schedule"])})
