"""Logs the training speed for TensorBoard."""

import time
from typing import TYPE_CHECKING

from components.train_model.callbacks.callback import Batch, Callback
from components.train_model.callbacks.event_file import EventFile

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer


class Throughput(Callback):
    """A callback that logs `tokens_per_second` over the last `steps` steps, including validations and checkpoints."""

    def __init__(self, events: EventFile, steps: int) -> None:
        self._events, self._steps = events, steps
        self._since, self._tokens = 0.0, 0

    def on_begin(self, training: "Trainer") -> None:
        self._since, self._tokens = time.monotonic(), training.progress.tokens

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        step, tokens = training.progress.step, training.progress.tokens
        if step % self._steps == 0:
            now = time.monotonic()
            self._events.scalar("tokens_per_second", (tokens - self._tokens) / max(1e-6, now - self._since), step)
            self._since, self._tokens = now, tokens
