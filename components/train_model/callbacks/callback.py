"""The interface of a callback: what a training calls, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer


@dataclass(frozen=True)
class Batch:
    """What came of one training step.

    Attributes:
        loss: what was minimised: label-smoothed cross-entropy, nats a token.
        nats: unsmoothed cross-entropy, nats a token.
        tokens: targets that are not padding.
        gradient_norm: over all variables, before clipping; not finite where a float16 step overflowed and was skipped.
        gradients: one tensor a trainable variable, before clipping.
    """

    loss: float
    nats: float
    tokens: float
    gradient_norm: float
    gradients: Sequence[tf.Tensor]


class Callback:
    """Does nothing at each occasion; a callback overrides those it wants.

    A callback reads of the training what it likes, and may set `training.stopping`. What it must know after a kill it keeps in
    `training.progress.notes`, which every checkpoint holds. It must not change weights, optimizer or any random state: a training has the
    same result with and without those that only watch.
    """

    def on_begin(self, training: "Trainer") -> None:
        """Before the first step, or before the next one after a checkpoint."""

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        """After each step; `training.progress.step` counts it already."""

    def on_validation_end(self, training: "Trainer", point: Mapping[str, Any]) -> None:
        """After a validation; `point` is its line of the history."""

    def on_epoch_end(self, training: "Trainer", batch: Batch) -> None:
        """After the last step of an epoch, `batch`."""

    def on_save(self, training: "Trainer") -> None:
        """Before a checkpoint is written."""

    def on_end(self, training: "Trainer") -> None:
        """After the last step; the model has the weights of its best validation."""
