"""The event file that TensorBoard reads. It is written in large pieces, and truncated to the last checkpoint when a training resumes."""

import math
import os
import time
from pathlib import Path

import numpy.typing as npt
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from components.train_model.training.callbacks import Batch, Callback, Training

FILE_NAME = "events.out.tfevents.0000000000.robo-poet"  # the name must contain `tfevents`; TensorBoard reads files by name order
VERSION = "brain.Event:2"
LENGTH_NOTE = "event_file"


class EventFile(Callback):
    """A callback that writes one event file per training, even if the training is killed and resumed.

    It must be the first callback, because other callbacks write through it.
    Each checkpoint stores the file's length. A resumed training truncates the file to that length, so that no step is in it twice.
    TensorBoard's own method is a second file that begins with a `SessionLog.START` event. That hides the repeated steps only if the file
    is read from its beginning, and other programs see both copies.

    Args:
        folder: folder of the file.
        steps: steps between two writes.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        self.path, self._steps, self._buffer = folder / FILE_NAME, steps, list[Event]()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Add a scalar. Non-finite values are dropped, because TensorBoard does not draw them."""
        if math.isfinite(value):
            self._add(Summary(value=[Summary.Value(tag=tag, simple_value=value)]), step)

    def histogram(self, tag: str, values: npt.ArrayLike, step: int) -> None:
        """Add a histogram of `values` with 30 bins."""
        self._add(histogram_pb(tag, values), step)

    def text(self, tag: str, text: str, step: int) -> None:
        """Add a text. It is indented, so that TensorBoard does not render it as Markdown."""
        self._add(text_pb(tag, "\n".join(f"    {line}" for line in text.split("\n"))), step)

    def flush(self, *, durable: bool = False) -> int:
        """Append the buffered events and return the length of the file in bytes.

        Args:
            durable: sync the file to disk before returning.
        """
        with self.path.open("ab") as file:
            records = RecordWriter(file)
            for event in self._buffer:
                records.write(event.SerializeToString())
            self._buffer.clear()
            file.flush()
            if durable:
                os.fsync(file.fileno())
            return file.tell()

    def on_begin(self, training: Training) -> None:
        self._buffer.clear()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        length, size = int(training.progress.notes.get(LENGTH_NOTE, 0)), self.path.stat().st_size if self.path.exists() else 0
        if length and length <= size:
            os.truncate(self.path, length)
            return
        self.path.unlink(missing_ok=True)  # there is no checkpoint, or the file is shorter than recorded in it: start a new file
        self._buffer.append(Event(wall_time=time.time(), file_version=VERSION))

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        # This runs before the other callbacks of the step. Their events wait for the next flush or checkpoint.
        if training.progress.step % self._steps == 0:
            self.flush()

    def on_save(self, training: Training) -> None:
        training.progress.notes[LENGTH_NOTE] = self.flush(durable=True)

    def on_end(self, training: Training) -> None:
        self.flush()

    def _add(self, summary: Summary, step: int) -> None:
        self._buffer.append(Event(wall_time=time.time(), step=step, summary=summary))
