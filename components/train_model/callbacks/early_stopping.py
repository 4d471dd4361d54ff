"""Early stopping by validation perplexity (TRAIN-1)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.train_model.callbacks.callback import Callback

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer


class EarlyStopping(Callback):
    """A callback that ends the training if validation perplexity has not improved for `early_stopping_patience` validations.

    `Schedule` counts the validations, because a checkpoint must hold the count.
    """

    def on_begin(self, training: "Trainer") -> None:
        training.stopping |= training.progress.schedule.finished(training.settings)

    def on_validation_end(self, training: "Trainer", point: Mapping[str, Any]) -> None:
        training.stopping |= training.progress.schedule.finished(training.settings)
