"""Logs mean loss and perplexity of training and validation for TensorBoard."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.train_model.callbacks.callback import Batch, Callback
from components.train_model.callbacks.event_file import EventFile

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer

NOTE = "perplexity"


class Perplexity(Callback):
    """A callback that logs `loss` and `perplexity/train`, and `perplexity/validation` and `cross_entropy/validation`.

    The training values are means per token over the last `steps` steps. Perplexity is exp of the unsmoothed cross-entropy (TRAIN-2), so
    it differs from exp(`loss`) if labels are smoothed. Dropout is on in training and off in validation, so a training perplexity above
    the validation perplexity is no error.
    """

    def __init__(self, events: EventFile, steps: int) -> None:
        self._events, self._steps = events, steps

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        notes, step = training.progress.notes, training.progress.step
        loss, nats, tokens = notes.get(NOTE, [0.0, 0.0, 0.0])  # in checkpoints, so that a resume loses no step of the mean
        sums = [loss + batch.loss * batch.tokens, nats + batch.nats * batch.tokens, tokens + batch.tokens]
        if step % self._steps == 0 and sums[2]:
            self._events.scalar("loss", sums[0] / sums[2], step)
            self._events.scalar("perplexity/train", math.exp(min(700.0, sums[1] / sums[2])), step)
            sums = [0.0, 0.0, 0.0]
        notes[NOTE] = sums

    def on_validation_end(self, training: "Trainer", point: Mapping[str, Any]) -> None:
        self._events.scalar("perplexity/validation", point["validation_perplexity"], training.progress.step)
        self._events.scalar("cross_entropy/validation", point["validation_cross_entropy"], training.progress.step)
