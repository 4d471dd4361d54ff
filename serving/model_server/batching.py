"""How requests become batches: TensorFlow Serving's `--batching_parameters_file` (SERVE-1)."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput

# TensorFlow Serving's package holds no protobuf of this file, so we read the little of the text format that it needs.
_FIELD = re.compile(r"\s*([a-z_]+)\s*(?::\s*(true|false|\d+)|\{\s*value\s*:\s*(true|false|\d+)\s*\})\s*[,;]?")
_COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True)
class Batching:
    """Limits of the batches; the names are TensorFlow Serving's.

    Attributes:
        max_batch_size: rows of a batch.
        batch_timeout_micros: how long a batch that is not full waits for more while a thread is free; 0 waits for nobody: while one batch
            runs the next one gathers, so that waiting would add to the latency of few readers and nothing to the throughput of many.
        max_enqueued_batches: full batches that may wait; what comes behind is refused at once.
        num_batch_threads: batches at a time.
        allowed_batch_sizes: sizes that a batch is filled up to, ascending; XLA compiles anew for each, so they are few.
        pad_variable_length_inputs: requests of different widths share a batch.
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 4
    num_batch_threads: int = 2
    allowed_batch_sizes: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    pad_variable_length_inputs: bool = True
    share_batches: bool = True  # ours: off without --enable_batching; each request is then a batch of its own

    def __post_init__(self) -> None:
        sizes = self.allowed_batch_sizes
        if not sizes or list(sizes) != sorted(set(sizes)) or sizes[0] < 1 or sizes[-1] != self.max_batch_size:
            raise BadInput(f"{list(sizes)} does not ascend to max_batch_size, {self.max_batch_size}", where="allowed_batch_sizes")
        if self.max_enqueued_batches < 1 or self.num_batch_threads < 1:
            raise BadInput("must be at least 1", where="max_enqueued_batches, num_batch_threads")


NAMES = tuple(name for name in Batching.__dataclass_fields__ if name != "share_batches")


def read_batching(path: Path) -> Batching:
    """Read the file.

    Raises:
        BadInput: it is not there, not of this form, or its values do not fit together.
    """
    try:
        text = _COMMENT.sub("", path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read ({error})", where=str(path)) from None
    found: dict[str, list[int]] = {}
    at = 0
    while text[at:].strip():
        field = _FIELD.match(text, at)
        if field is None or field[1] not in NAMES:
            line = text.count("\n", 0, at + len(text[at:]) - len(text[at:].lstrip())) + 1
            raise BadInput("no batching parameter", where=f"{path}: line {line}", remedy=f"they are {', '.join(NAMES)}")
        value = field[2] or field[3]
        found.setdefault(field[1], []).append({"true": 1, "false": 0}.get(value, 0) if value.isalpha() else int(value))
        at = field.end()
    given: dict[str, Any] = {name: values[-1] for name, values in found.items()}
    if "allowed_batch_sizes" in found or "max_batch_size" in found:
        given["allowed_batch_sizes"] = tuple(found.get("allowed_batch_sizes", found.get("max_batch_size", [])))
    if "pad_variable_length_inputs" in given:
        given["pad_variable_length_inputs"] = bool(given["pad_variable_length_inputs"])
    try:
        return replace(Batching(), **given)
    except BadInput as error:
        raise BadInput(error.what, where=f"{path}: {error.where}") from None
