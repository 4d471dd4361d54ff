"""Dynamic batching: rows of several requests run in one call, and each request gets its own rows back (SERVE-1).

The limits come from TensorFlow Serving's `--batching_parameters_file`. Inputs and outputs are NumPy arrays by name, with the batch as
first axis. This module does not depend on TensorFlow.
"""

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from robo_poet.errors import BadInput
from serving.model_server.errors import CallError, Code, Unloaded

# TensorFlow Serving's Python package has no protobuf message for this file, so we parse the needed part of the text format.
_FIELD = re.compile(r"\s*([a-z_]+)\s*(?::\s*(true|false|\d+)|\{\s*value\s*:\s*(true|false|\d+)\s*\})\s*[,;]?")
_COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True)
class Batching:
    """Limits of the batches. The names are those of TensorFlow Serving.

    Attributes:
        max_batch_size: maximum number of rows of a batch.
        batch_timeout_micros: how long a batch that is not full waits for more rows while a thread is free, in microseconds. With 0 it
            does not wait. The next batch fills while one runs, so a wait would add latency at low load and no throughput at high load.
        max_enqueued_batches: number of full batches that may wait. Further requests are refused.
        num_batch_threads: number of batches that run in parallel.
        allowed_batch_sizes: batch sizes, ascending; a batch is filled up to the next one. XLA compiles each size, so there are few.
        pad_variable_length_inputs: True if requests of different widths may share a batch.
        share_batches: True if requests may share a batch. If it is False, each request runs separately.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 4
    num_batch_threads: int = 2
    allowed_batch_sizes: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    pad_variable_length_inputs: bool = True
    share_batches: bool = True  # not in TensorFlow Serving's file: False without --enable_batching

    def __post_init__(self) -> None:
        sizes = self.allowed_batch_sizes
        if not sizes or list(sizes) != sorted(set(sizes)) or sizes[0] < 1 or sizes[-1] != self.max_batch_size:
            raise BadInput(f"{list(sizes)} must ascend and end with max_batch_size, {self.max_batch_size}", where="allowed_batch_sizes")
        if self.max_enqueued_batches < 1 or self.num_batch_threads < 1:
            raise BadInput("must be at least 1", where="max_enqueued_batches, num_batch_threads")


PARAMETER_NAMES = tuple(name for name in Batching.__dataclass_fields__ if name != "share_batches")


def read_batching(path: Path) -> Batching:
    """Read a batching parameters file.

    Raises:
        BadInput: the file cannot be read, has a wrong form, or its values contradict each other.
    """
    try:
        text = _COMMENT.sub("", path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read ({error})", where=str(path)) from None
    values_by_name: dict[str, list[int]] = {}
    position = 0
    while text[position:].strip():
        field = _FIELD.match(text, position)
        if field is None or field[1] not in PARAMETER_NAMES:
            line = text.count("\n", 0, position + len(text[position:]) - len(text[position:].lstrip())) + 1
            raise BadInput("not a batching parameter", where=f"{path}: line {line}", remedy=f"choose from {', '.join(PARAMETER_NAMES)}")
        value = field[2] or field[3]
        values_by_name.setdefault(field[1], []).append({"true": 1, "false": 0}.get(value, 0) if value.isalpha() else int(value))
        position = field.end()
    parameters: dict[str, Any] = {name: values[-1] for name, values in values_by_name.items()}
    if "allowed_batch_sizes" in values_by_name or "max_batch_size" in values_by_name:
        parameters["allowed_batch_sizes"] = tuple(values_by_name.get("allowed_batch_sizes", values_by_name.get("max_batch_size", [])))
    if "pad_variable_length_inputs" in parameters:
        parameters["pad_variable_length_inputs"] = bool(parameters["pad_variable_length_inputs"])
    try:
        return replace(Batching(), **parameters)
    except BadInput as error:
        raise BadInput(error.what, where=f"{path}: {error.where}") from None


Arrays = Mapping[str, npt.NDArray[np.generic]]


@dataclass
class QueuedRequest:
    """A queued request.

    Attributes:
        inputs: arrays by input name, batch first.
        rows: number of rows.
        deadline: monotonic time in seconds. A request that has not started by then fails with DEADLINE_EXCEEDED.
        answer: future of the outputs.
    """

    inputs: Arrays
    rows: int
    deadline: float
    answer: "Future[dict[str, npt.NDArray[np.generic]]]" = field(default_factory=Future)


def stack(tasks: list[QueuedRequest], size: int) -> dict[str, npt.NDArray[np.generic]]:
    """Return the inputs of all tasks as one batch of `size` rows.

    Narrower inputs are padded with 0. Missing rows are copies of the first row: a copy does not take longer
    than the row itself, so it does not slow the batch down.
    """
    batch = {}
    for name, first in tasks[0].inputs.items():
        arrays = [task.inputs[name] for task in tasks]
        if first.ndim > 1:
            width = tuple(max(array.shape[axis] for array in arrays) for axis in range(1, first.ndim))
            arrays = [np.pad(array, [(0, 0), *((0, w - s) for w, s in zip(width, array.shape[1:], strict=True))]) for array in arrays]
        rows = np.concatenate(arrays)
        batch[name] = np.concatenate([rows, np.repeat(rows[:1], size - len(rows), axis=0)]) if len(rows) < size else rows
    return batch


class Batcher:
    """A bounded queue of requests, with threads that run them in batches.

    Args:
        run: runs one batch on the model.
        batching: the limits.
        sizes: sizes of `allowed_batch_sizes` that are used from the start; `allow` adds more. So no request waits for XLA's
            first compilation of a size. If none of them is an allowed size, all allowed sizes are used.
    """

    def __init__(self, run: Callable[[Arrays], dict[str, npt.NDArray[np.generic]]], batching: Batching, sizes: tuple[int, ...]) -> None:
        self._run, self._batching, self._sizes = run, batching, set(sizes) & set(batching.allowed_batch_sizes)
        self._sizes = self._sizes or set(batching.allowed_batch_sizes)
        self._queue: deque[QueuedRequest] = deque()
        self._waiting = 0  # rows
        self._closed = False
        self._changed = threading.Condition()
        self.batches: dict[int, int] = {}  # size → number of batches, for the metrics
        self._threads = [threading.Thread(target=self._run_batches, daemon=True) for _ in range(batching.num_batch_threads)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Number of rows in the queue."""
        return self._waiting

    def allow(self, *sizes: int) -> None:
        """Use these batch sizes from now on. Sizes that are not in `allowed_batch_sizes` are ignored."""
        with self._changed:
            self._sizes |= set(sizes) & set(self._batching.allowed_batch_sizes)
            self._changed.notify_all()

    def submit(self, inputs: Arrays, deadline: float) -> "Future[dict[str, npt.NDArray[np.generic]]]":
        """Queue a request and return the future of its outputs. Cancelling the future before its batch runs drops the request.

        Args:
            inputs: arrays by input name, all with the same number of rows.
            deadline: monotonic time in seconds.

        Raises:
            CallError: INVALID_ARGUMENT, the inputs differ in rows, have none or have too many. UNAVAILABLE, the queue is full.
            Unloaded: the batcher is closed.
        """
        rows = {len(value) for value in inputs.values()}
        if len(rows) != 1 or not (count := rows.pop()):
            raise CallError(Code.INVALID_ARGUMENT, "all inputs must have the same number of rows, at least 1")
        if count > self._batching.max_batch_size:
            raise CallError(Code.INVALID_ARGUMENT, f"{count} rows exceed the limit of a batch, {self._batching.max_batch_size} rows")
        task = QueuedRequest(inputs, count, deadline)
        with self._changed:
            if self._closed:
                raise Unloaded
            if self._waiting + count > self._batching.max_enqueued_batches * self._batching.max_batch_size:
                raise CallError(Code.UNAVAILABLE, "the queue is full; try again later")
            self._queue.append(task)
            self._waiting += count
            self._changed.notify()
        return task.answer

    def close(self) -> None:
        """Finish all queued requests and stop the threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run_batches(self) -> None:
        while tasks := self._next_batch():
            self._run_batch(tasks)

    def _next_batch(self) -> list[QueuedRequest]:
        """Wait for the next batch. Returns an empty list after `close`, when the queue is empty."""
        with self._changed:
            while True:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if not self._queue:
                    return []
                if (wait := self._batching.batch_timeout_micros / 1e6) and self._waiting < max(self._sizes):
                    self._changed.wait_for(lambda: self._closed or self._waiting >= max(self._sizes), wait)
                if tasks := self._gather():
                    return tasks

    def _gather(self) -> list[QueuedRequest]:
        """Remove compatible requests from the queue, oldest first, and return them as one batch. Drop cancelled and expired requests."""
        tasks: list[QueuedRequest] = []
        rows, limit = 0, max(self._sizes)
        now = time.monotonic()
        while (
            self._queue
            and (not tasks or rows + self._queue[0].rows <= limit)
            and (not tasks or self._may_share_batch(tasks[0], self._queue[0]))
        ):
            task = self._queue.popleft()
            self._waiting -= task.rows
            if not task.answer.set_running_or_notify_cancel():
                continue
            if task.deadline <= now:
                task.answer.set_exception(CallError(Code.DEADLINE_EXCEEDED, "the deadline passed while the request waited in the queue"))
                continue
            tasks.append(task)
            rows += task.rows
        return tasks

    def _may_share_batch(self, first: QueuedRequest, other: QueuedRequest) -> bool:
        if not self._batching.share_batches:
            return False
        return self._batching.pad_variable_length_inputs or all(
            value.shape[1:] == other.inputs[name].shape[1:] for name, value in first.inputs.items()
        )

    def _run_batch(self, tasks: list[QueuedRequest]) -> None:
        rows = sum(task.rows for task in tasks)
        # A single request may have more rows than any compiled size. It then waits for the compilation of an allowed size.
        with self._changed:
            size = min((size for size in self._sizes if size >= rows), default=0)
        size = size or min(size for size in self._batching.allowed_batch_sizes if size >= rows)
        try:
            result = self._run(stack(tasks, size))
            if wrong := sorted(name for name, value in result.items() if value.ndim == 0 or len(value) != size):
                raise CallError(Code.INTERNAL, f"{', '.join(wrong)}: must have one output row for each input row")
        except BaseException as error:
            if len(tasks) > 1 and isinstance(error, CallError) and error.code is Code.INVALID_ARGUMENT:
                for task in tasks:  # run each request separately: one invalid request must not make the others fail
                    self._run_batch([task])
                return
            for task in tasks:
                task.answer.set_exception(error)
            return
        with self._changed:
            self.batches[size] = self.batches.get(size, 0) + 1
        start = 0
        for task in tasks:
            task.answer.set_result({name: value[start : start + task.rows] for name, value in result.items()})
            start += task.rows
