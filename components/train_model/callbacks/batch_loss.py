"""Logs the loss of every batch for TensorBoard."""

from typing import TYPE_CHECKING

from components.train_model.callbacks.callback import Batch, Callback
from components.train_model.callbacks.event_file import EventFile

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer


class BatchLoss(Callback):
    """A callback that logs `batch/loss`, in nats per token, at each step."""

    def __init__(self, events: EventFile) -> None:
        self._events = events

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        self._events.scalar("batch/loss", batch.loss, training.progress.step)
