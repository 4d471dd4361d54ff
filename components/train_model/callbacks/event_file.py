"""The event file that TensorBoard reads: written in large pieces, and cut back to the last checkpoint when a killed training goes on."""

import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy.typing as npt
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from components.train_model.callbacks.callback import Batch, Callback

if TYPE_CHECKING:
    from components.train_model.trainer import Trainer

NAME = "events.out.tfevents.0000000000.robo-poet"  # TensorBoard wants `tfevents` in it, and reads several in the order of their names
VERSION = "brain.Event:2"
NOTE = "event_file"


class EventFile(Callback):
    """One file for a whole training, however often it was killed. First of the callbacks, for others write through it.

    Each checkpoint notes how long the file was. Whoever goes on from there cuts the file to that length, so that no step is there twice.
    TensorBoard's own remedy, a second file that begins with a `SessionLog.START` event, hides what came after; it does so only where
    the file is read from its beginning, and other readers see both.

    Args:
        folder: gets the file.
        steps: between two writes.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        self.path, self._steps, self._waiting = folder / NAME, steps, list[Event]()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A number, if it is one: TensorBoard draws no other."""
        if math.isfinite(value):
            self._add(Summary(value=[Summary.Value(tag=tag, simple_value=value)]), step)

    def histogram(self, tag: str, values: npt.ArrayLike, step: int) -> None:
        """How numbers are distributed, in 30 bins."""
        self._add(histogram_pb(tag, values), step)

    def text(self, tag: str, text: str, step: int) -> None:
        """Text, shown as it is: indented, so that Markdown leaves it alone."""
        self._add(text_pb(tag, "\n".join(f"    {line}" for line in text.split("\n"))), step)

    def flush(self, *, durable: bool = False) -> int:
        """Append all that waits, and return the length of the file.

        Args:
            durable: have it on the disk before returning.
        """
        with self.path.open("ab") as file:
            records = RecordWriter(file)
            for event in self._waiting:
                records.write(event.SerializeToString())
            self._waiting.clear()
            file.flush()
            if durable:
                os.fsync(file.fileno())
            return file.tell()

    def on_begin(self, training: "Trainer") -> None:
        self._waiting.clear()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        length, there = int(training.progress.notes.get(NOTE, 0)), self.path.stat().st_size if self.path.exists() else 0
        if length and length <= there:
            os.truncate(self.path, length)
            return
        self.path.unlink(missing_ok=True)  # nothing of a checkpoint, or less than it knew of: begin anew
        self._waiting.append(Event(wall_time=time.time(), file_version=VERSION))

    def on_batch_end(self, training: "Trainer", batch: Batch) -> None:
        # Before the others of this step: what they add waits for the next time, or for the checkpoint.
        if training.progress.step % self._steps == 0:
            self.flush()

    def on_save(self, training: "Trainer") -> None:
        training.progress.notes[NOTE] = self.flush(durable=True)

    def on_end(self, training: "Trainer") -> None:
        self.flush()

    def _add(self, summary: Summary, step: int) -> None:
        self._waiting.append(Event(wall_time=time.time(), step=step, summary=summary))
