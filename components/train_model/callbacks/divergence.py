"""Stops a diverged training and reports the step (TRAIN-3)."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras

from components.train_model.callbacks.callback import Batch, Callback
from robo_poet.errors import BadInput

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer

EXPLODED = 10  # times ln(vocabulary), the loss of a uniform model


class Divergence(Callback):
    """A callback that raises BadInput if loss or gradient are not finite, or if the loss exceeds `EXPLODED` · ln(vocabulary).

    The message names step, epoch and batch. The check runs before validation and checkpoint, so neither the curve nor a checkpoint holds
    such a step. In float16 the loss scale can make a gradient overflow; the optimizer skips that step. Only an overflow with a scale
    below 1 counts as divergence.
    """

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        limit = EXPLODED * math.log(training.model.output_shape[-1])
        if not math.isfinite(batch.loss):
            self._stop(training, "the loss is not a number")
        if batch.loss > limit:
            self._stop(training, f"the loss has exploded: {batch.loss:.1f} nats a token, more than {limit:.0f}")
        if not math.isfinite(batch.gradient_norm) and not _may_overflow(training.optimizer):
            self._stop(training, "the norm of the gradient is not a number")

    def on_validation_end(self, training: "Trainer", point: Mapping[str, Any]) -> None:
        if not math.isfinite(point["validation_cross_entropy"]):
            self._stop(training, "the validation loss is not a number")

    def _stop(self, training: "Trainer", reason: str) -> None:
        step = training.progress.step
        epoch, batch = divmod(step - 1, training.per_epoch)
        where = f"training step {step} of {training.steps}, epoch {epoch + 1}, batch {batch + 1} of {training.per_epoch}"
        raise BadInput(reason, where=where, remedy="lower train.learning_rate or train.clipnorm")


def _may_overflow(optimizer: Any) -> bool:
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer) and float(optimizer.dynamic_scale) >= 1
