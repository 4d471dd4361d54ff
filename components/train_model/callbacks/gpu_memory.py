"""Logs GPU memory for TensorBoard (TRAIN-4)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import tensorflow as tf

from components.train_model.callbacks.callback import Batch, Callback
from components.train_model.callbacks.event_file import EventFile

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer


def measured() -> Mapping[str, Mapping[str, int]]:
    """Return `{"GPU:0": {"current": bytes, "peak": bytes}}`, empty without a GPU.

    Counts TensorFlow's allocations in this process, without CUDA's own memory.
    """
    names = [f"GPU:{number}" for number in range(len(tf.config.list_logical_devices("GPU")))]
    return {name: tf.config.experimental.get_memory_info(name) for name in names}


class GpuMemory(Callback):
    """A callback that logs `gpu_memory_mb/GPU:0/current` and `…/peak` every `steps` steps, in MB (10⁶ bytes).

    Without a GPU it logs nothing.

    Args:
        events: the event file.
        steps: steps between two entries.
        measure: replaces `measured` in tests.
    """

    def __init__(self, events: EventFile, steps: int, measure: Callable[[], Mapping[str, Mapping[str, int]]] = measured) -> None:
        self._events, self._steps, self._measure = events, steps, measure

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        if training.progress.step % self._steps:
            return
        for device, memory in self._measure().items():
            for kind in ("current", "peak"):
                self._events.scalar(f"gpu_memory_mb/{device}/{kind}", memory[kind] / 1e6, training.progress.step)
