"""Logs learning rate, gradient norm and loss scale for TensorBoard."""

from typing import TYPE_CHECKING

import keras

from components.train_model.callbacks.callback import Batch, Callback
from components.train_model.callbacks.event_file import EventFile

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer


class Optimisation(Callback):
    """A callback that logs `learning_rate`, `gradient_norm` (before clipping) and, in float16, `loss_scale` every `steps` steps."""

    def __init__(self, events: EventFile, steps: int) -> None:
        self._events, self._steps = events, steps

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        step = training.progress.step
        if step % self._steps:
            return
        self._events.scalar("learning_rate", training.progress.schedule.learning_rate, step)
        self._events.scalar("gradient_norm", batch.gradient_norm, step)
        if isinstance(training.optimizer, keras.optimizers.LossScaleOptimizer):
            self._events.scalar("loss_scale", float(training.optimizer.dynamic_scale), step)
