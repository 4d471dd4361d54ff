"""The interface of a callback, and the result of a training step that it receives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tensorflow as tf

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer


@dataclass(frozen=True)
class Batch:
    """The result of one training step.

    Attributes:
        loss: minimised loss: label-smoothed cross-entropy, nats per token.
        nats: unsmoothed cross-entropy, nats per token.
        tokens: number of targets that are not padding.
        gradient_norm: global norm over all variables before clipping; not finite if a float16 step overflowed and was skipped.
        gradients: one tensor per trainable variable, before clipping.
    """

    loss: float
    nats: float
    tokens: float
    gradient_norm: float
    gradients: Sequence[tf.Tensor]


class Callback:
    """A base class whose methods do nothing. A callback overrides the methods it needs.

    - It may read any attribute of the training, and may set `training.stopping`.
    - It stores state that must survive a kill in `training.progress.notes`, which every checkpoint holds.
    - It must not change weights, optimizer or random state: logging callbacks do not change the result of a training.
    """

    def on_begin(self, training: "Trainer") -> None:
        """Called before the first step, or before the first step after a resume."""

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        """Called after each step. `training.progress.step` already includes it."""

    def on_validation_end(self, training: "Trainer", point: Mapping[str, Any]) -> None:
        """Called after a validation. `point` is its entry in the history."""

    def on_epoch_end(self, training: "Trainer", batch: Batch) -> None:
        """Called after the last step of an epoch, whose result is `batch`."""

    def on_save(self, training: "Trainer") -> None:
        """Called before a checkpoint is written."""

    def on_end(self, training: "Trainer") -> None:
        """Called after the last step, when the model has the weights of its best validation."""
