"""The interface of a callback, and the callbacks of every training: divergence, early stopping and the progress line (TRAIN-1, TRAIN-3)."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from components.train_model.architectures.architecture import Architecture
from components.train_model.training.feed import Feed
from components.train_model.training.progress import Progress
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings


@dataclass(frozen=True)
class Batch:
    """The result of one training step.

    Attributes:
        loss: minimised loss: label-smoothed cross-entropy, nats per token.
        nats: unsmoothed cross-entropy, nats per token.
        tokens: number of targets that are not padding.
        gradient_norm: global norm over all variables before clipping; not finite if a float16 step overflowed and was skipped.
        gradients: one tensor per trainable variable, before clipping.
        accuracy, top5_accuracy: share of the targets that are the most likely token, and that are among the five most likely.
    """

    loss: float
    nats: float
    tokens: float
    gradient_norm: float
    gradients: Sequence[tf.Tensor]
    accuracy: float = 0.0
    top5_accuracy: float = 0.0


class Training(Protocol):
    """The part of a training that callbacks see. `Trainer` implements it; its docstring describes the attributes."""

    architecture: Architecture
    model: keras.Model
    optimizer: Any
    settings: TrainSettings
    validation: Feed
    progress: Progress
    seed: int
    steps: int
    per_epoch: int
    stopping: bool
    report: Callable[[int, int, str], None]
    note: Callable[[str], None]


class Callback:
    """A base class whose methods do nothing. A callback overrides the methods it needs.

    - It may read any attribute of the training, and may set `training.stopping`.
    - It stores state that must survive a kill in `training.progress.notes`, which is part of every checkpoint.
    - It must not change weights, optimizer or random state: logging callbacks do not change the result of a training.
    """

    def on_begin(self, training: Training) -> None:
        """Called before the first step, or before the first step after a resume."""

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        """Called after each step. `training.progress.step` already includes it."""

    def on_validation_end(self, training: Training, point: Mapping[str, Any]) -> None:
        """Called after a validation. `point` is its entry in the history."""

    def on_epoch_end(self, training: Training, batch: Batch) -> None:
        """Called after the last step of an epoch. `batch` is the result of that step."""

    def on_save(self, training: Training) -> None:
        """Called before a checkpoint is written."""

    def on_end(self, training: Training) -> None:
        """Called after the last step, when the model has the weights of its best validation."""


EXPLOSION_FACTOR = 10  # times ln(vocabulary), the loss of a uniform model


class Divergence(Callback):
    """A callback that raises BadInput if loss or gradient are not finite, or if the loss exceeds `EXPLOSION_FACTOR` · ln(vocabulary).

    The message names step, epoch and batch. The check runs before validation and checkpoint, so neither the curve nor a checkpoint holds
    such a step. In float16 the loss scale can make a gradient overflow; the optimizer skips that step. Only an overflow with a scale
    below 1 counts as divergence.
    """

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        limit = EXPLOSION_FACTOR * math.log(training.model.output_shape[-1])
        if not math.isfinite(batch.loss):
            self._raise(training, "the loss is not finite")
        if batch.loss > limit:
            self._raise(training, f"the loss diverged: {batch.loss:.1f} nats per token, above the limit of {limit:.0f}")
        if not math.isfinite(batch.gradient_norm) and not _may_overflow(training.optimizer):
            self._raise(training, "the gradient norm is not finite")

    def on_validation_end(self, training: Training, point: Mapping[str, Any]) -> None:
        if not math.isfinite(point["validation_cross_entropy"]):
            self._raise(training, "the validation loss is not finite")

    def _raise(self, training: Training, reason: str) -> None:
        step = training.progress.step
        epoch, batch = divmod(step - 1, training.per_epoch)
        where = f"training step {step} of {training.steps}, epoch {epoch + 1}, batch {batch + 1} of {training.per_epoch}"
        raise BadInput(reason, where=where, remedy="lower train.learning_rate or train.clipnorm")


def _may_overflow(optimizer: Any) -> bool:
    return isinstance(optimizer, keras.optimizers.LossScaleOptimizer) and float(optimizer.dynamic_scale) >= 1


class EarlyStopping(Callback):
    """A callback that ends the training if validation perplexity has not improved for `early_stopping_patience` validations.

    `Schedule` counts the validations, because a checkpoint must hold the count.
    """

    def on_begin(self, training: Training) -> None:
        training.stopping |= training.progress.schedule.finished(training.settings)

    def on_validation_end(self, training: Training, point: Mapping[str, Any]) -> None:
        training.stopping |= training.progress.schedule.finished(training.settings)


def lowered_rate(training: Training, point: Mapping[str, Any]) -> str:
    """Return the sentence for a validation after which the learning rate is lower; empty if it is unchanged.

    Example: `learning rate lowered from 0.001 to 0.0005 after epoch 3.00: validation perplexity 103.5, best 98.1`.
    """
    if "next_learning_rate" not in point:
        return ""
    return (
        f"learning rate lowered from {point['learning_rate']:.6g} to {point['next_learning_rate']:.6g} after epoch {point['epoch']:.2f}: "
        f"validation perplexity {point['validation_perplexity']:,.1f}, best {training.progress.schedule.best:,.1f}"
    )


class LearningRateLine(Callback):
    """A callback that prints a line when the learning rate is lowered (TRAIN-1)."""

    def on_validation_end(self, training: Training, point: Mapping[str, Any]) -> None:
        if text := lowered_rate(training, point):
            training.note(text)


DECAY = 0.9  # decay of the exponential means in the line


class ProgressLine(Callback):
    """A callback that prints a line after each step.

    Example: `step 120/800 · 1:45 left · loss 4.812 · perplexity 98.1 · accuracy 18.4 %, top 5 38.0 % · validation 103.5 · 8,120 tokens/s`.
    The time stands first, because a terminal of 100 columns cuts the end. The first step of a process also compiles the model,
    so speed and time left are measured from its end on.
    """

    def __init__(self) -> None:
        self._started, self._tokens, self._measured = 0.0, 0, False
        self._means, self._weight = np.zeros(4), 0.0

    def on_begin(self, training: Training) -> None:
        self._measured = False
        if step := training.progress.step:
            training.report(step, training.steps, f"resuming from the checkpoint of step {step}")

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        progress, steps = training.progress, training.steps
        self._means = DECAY * self._means + (1 - DECAY) * np.asarray([batch.loss, batch.nats, batch.accuracy, batch.top5_accuracy])
        self._weight = DECAY * self._weight + 1 - DECAY  # corrects the bias towards the initial 0, as in Adam
        loss, nats, accuracy, top5_accuracy = (self._means / self._weight).tolist()
        time_left, speed_text = "time left not known yet", "the first step compiled the model"
        if self._measured:
            speed = (progress.tokens - self._tokens) / max(1e-6, time.monotonic() - self._started)
            seconds_left = int((steps - progress.step) * progress.tokens / progress.step / max(1.0, speed))
            time_left, speed_text = f"{duration(seconds_left)} left", f"{speed:,.0f} tokens/s"
        else:
            self._started, self._tokens, self._measured = time.monotonic(), progress.tokens, True
        validation_text = f" · validation {progress.schedule.best:,.1f}" if progress.schedule.best < math.inf else ""
        training.report(
            progress.step, steps,
            f"step {progress.step}/{steps} · {time_left} · loss {loss:.3f} · "
            f"perplexity {math.exp(min(99.0, nats)):,.1f} · "
            f"accuracy {100 * accuracy:.1f} %, top 5 {100 * top5_accuracy:.1f} %{validation_text} · {speed_text}",
        )  # fmt: skip


def duration(seconds: int) -> str:
    """Format seconds as `0:07`, `12:30` or `3:05:00`."""
    hours, rest = divmod(seconds, 3600)
    return (f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}") + f":{rest % 60:02d}"
