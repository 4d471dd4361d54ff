"""The progress line that the user sees during training: loss, perplexity, speed, time left."""

import math
import time
from typing import TYPE_CHECKING

from components.train_model.callbacks.callback import Batch, Callback

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer

SMOOTH = 0.9  # decay of the exponential mean of the loss and perplexity in the line


class ProgressLine(Callback):
    """A callback that prints a line after each step.

    Example: `step 120/800 · loss 4.812 · perplexity 98.1 · validation 103.5 · 8,120 tokens/s · 1:45 left`.
    """

    def __init__(self) -> None:
        self._began, self._tokens, self._loss, self._nats, self._weight = 0.0, 0, 0.0, 0.0, 0.0

    def on_begin(self, training: "Trainer") -> None:
        self._began, self._tokens = time.monotonic(), training.progress.tokens
        if step := training.progress.step:
            training.say(step, training.steps, f"going on from the checkpoint of step {step}")

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        progress, steps = training.progress, training.steps
        self._loss = SMOOTH * self._loss + (1 - SMOOTH) * batch.loss
        self._nats = SMOOTH * self._nats + (1 - SMOOTH) * batch.nats
        self._weight = SMOOTH * self._weight + 1 - SMOOTH  # corrects the bias towards the initial 0, as in Adam
        speed = (progress.tokens - self._tokens) / max(1e-6, time.monotonic() - self._began)
        seconds_left = int((steps - progress.step) * progress.tokens / progress.step / max(1.0, speed))
        validation_text = f" · validation {progress.schedule.best:,.1f}" if progress.schedule.best < math.inf else ""
        training.say(
            progress.step, steps,
            f"step {progress.step}/{steps} · loss {self._loss / self._weight:.3f} · "
            f"perplexity {math.exp(min(99.0, self._nats / self._weight)):,.1f}{validation_text} · {speed:,.0f} tokens/s · "
            f"{duration(seconds_left)} left",
        )  # fmt: skip


def duration(seconds: int) -> str:
    """Format seconds as `0:07`, `12:30` or `3:05:00`."""
    hours, rest = divmod(seconds, 3600)
    return (f"{hours}:{rest // 60:02d}" if hours else f"{rest // 60}") + f":{rest % 60:02d}"
