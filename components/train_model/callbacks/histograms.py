"""Logs histograms of weights and gradients for TensorBoard."""

from typing import TYPE_CHECKING

import numpy as np

from components.train_model.callbacks.callback import Batch, Callback
from components.train_model.callbacks.event_file import EventFile

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer


class Histograms(Callback):
    """A callback that logs `weights/<variable>` and `gradients/<variable>` at the end of each epoch.

    The gradients are those of the last batch, before clipping.
    """

    def __init__(self, events: EventFile) -> None:
        self._events = events

    def on_epoch_end(self, training: "Trainer", batch: Batch) -> None:
        step = training.progress.step
        for variable, gradient in zip(training.model.trainable_variables, batch.gradients, strict=True):
            self._events.histogram(f"weights/{variable.path}", variable.numpy(), step)
            values = np.asarray(gradient)
            if np.isfinite(values).all():  # a skipped float16 step has non-finite gradients
                self._events.histogram(f"gradients/{variable.path}", values, step)
