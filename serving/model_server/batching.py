"""Batching parameters, read from TensorFlow Serving's `--batching_parameters_file` (SERVE-1)."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput

# TensorFlow Serving's Python package has no protobuf message for this file, so we parse the needed part of the text format.
_FIELD = re.compile(r"\s*([a-z_]+)\s*(?::\s*(true|false|\d+)|\{\s*value\s*:\s*(true|false|\d+)\s*\})\s*[,;]?")
_COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True)
class Batching:
    """Limits of the batches. The names are those of TensorFlow Serving.

    Attributes:
        max_batch_size: largest number of rows of a batch.
        batch_timeout_micros: how long a batch that is not full waits for more rows while a thread is free, in microseconds. With 0 it
            does not wait. The next batch fills while one runs, so a wait would add latency at low load and no throughput at high load.
        max_enqueued_batches: number of full batches that may wait. Further requests are refused.
        num_batch_threads: number of batches that run in parallel.
        allowed_batch_sizes: batch sizes, ascending; a batch is filled up to the next one. XLA compiles each size, so there are few.
        pad_variable_length_inputs: True if requests of different widths may share a batch.
        share_batches: True if requests may share a batch at all.
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
            raise BadInput(f"{list(sizes)} does not ascend to max_batch_size, {self.max_batch_size}", where="allowed_batch_sizes")
        if self.max_enqueued_batches < 1 or self.num_batch_threads < 1:
            raise BadInput("must be at least 1", where="max_enqueued_batches, num_batch_threads")


NAMES = tuple(name for name in Batching.__dataclass_fields__ if name != "share_batches")


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
        if field is None or field[1] not in NAMES:
            line = text.count("\n", 0, position + len(text[position:]) - len(text[position:].lstrip())) + 1
            raise BadInput("no batching parameter", where=f"{path}: line {line}", remedy=f"they are {', '.join(NAMES)}")
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
