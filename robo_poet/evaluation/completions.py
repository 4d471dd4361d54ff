"""What a model wrote after held-out prompts, beside what people wrote there (EVAL-2, EVAL-3)."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.errors import BadInput

SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("document", "group", "language", "prompt", "text", "reference", "stop")]
    + [pa.field(name, pa.list_(pa.int32()), nullable=False) for name in ("tokens", "reference_tokens")]
)


@dataclass(frozen=True)
class Continuation:
    """One held-out place, continued twice.

    Args:
        document, group: whose place it is; continuations of one work are not independent.
        prompt: the text before the place.
        text, tokens: what the model wrote.
        reference, reference_tokens: what really follows, of about the same length.
        stop: why the model stopped, in the words of `StopReason`.
    """

    document: str
    group: str
    language: str
    prompt: str
    text: str
    reference: str
    stop: str
    tokens: list[int]
    reference_tokens: list[int]


def write_continuations(path: Path, rows: Iterable[Continuation]) -> None:
    """Write the table, whole or not at all."""
    table = pa.Table.from_pylist([asdict(row) for row in rows], SCHEMA)
    with new_file(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_continuations(path: Path) -> Sequence[Continuation]:
    """Read the table.

    Raises:
        BadInput: not such a table.
    """
    try:
        rows = pq.read_table(path, schema=SCHEMA).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"no table of continuations ({error})", where=str(path), remedy="run the evaluation again") from None
    return [Continuation(**row) for row in rows]
