"""When to lower the learning rate and when to stop, from validation perplexity alone (TRAIN-1). Pure."""

import math
from dataclasses import dataclass, replace

from robo_poet.settings.train import TrainSettings


@dataclass(frozen=True)
class Schedule:
    """State after some validations.

    Attributes:
        learning_rate: for the steps to come.
        best: lowest validation perplexity so far.
        waited: validations since `best`, for early stopping.
        plateau: validations without gain that count towards the next reduction.
        cooldown: validations left in which none counts, after a reduction.
    """

    learning_rate: float
    best: float = math.inf
    waited: int = 0
    plateau: int = 0
    cooldown: int = 0

    def after(self, perplexity: float, settings: TrainSettings) -> "Schedule":
        """The state after one more validation, by the rule of Keras' ReduceLROnPlateau: a cooldown forgets what was counted."""
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
        """Whether the last validation was the best so far."""
        return self.waited == 0 and self.best < math.inf

    def finished(self, settings: TrainSettings) -> bool:
        """Whether early stopping says so."""
        return self.waited >= settings.early_stopping_patience
