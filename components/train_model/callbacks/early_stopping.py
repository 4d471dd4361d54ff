"""Early stopping (TRAIN-1)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.train_model.callbacks.callback import Callback

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer


class EarlyStopping(Callback):
    """Ends the training when validation perplexity has not improved for `early_stopping_patience` validations.

    The counting is `schedule.Schedule`'s, beside that of the learning rate: it is part of what a checkpoint must hold.
    """

    def on_begin(self, training: "Trainer") -> None:
        training.stopping |= training.progress.schedule.finished(training.settings)

    def on_validation_end(self, training: "Trainer", point: Mapping[str, Any]) -> None:
        training.stopping |= training.progress.schedule.finished(training.settings)
