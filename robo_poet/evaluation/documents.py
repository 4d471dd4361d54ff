"""How likely a model finds each held-out document: what intervals, slices and comparisons are computed from (EVAL-1, EVAL-5)."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput

SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("id", "group", "author", "source", "genre", "period", "language", "length")]
    + [pa.field(name, pa.int64(), nullable=False) for name in ("bytes", "tokens", "first", "among_five")]
    + [pa.field(name, pa.float64(), nullable=False) for name in ("nats", "unigram_nats")]
)
SLICES = ("source", "author", "genre", "period", "language", "length")  # columns that a model is sliced by
LENGTHS = ((1_000, "below 1 kB"), (4_000, "1 to 4 kB"), (16_000, "4 to 16 kB"))  # bytes of UTF-8
LONGEST, UNDATED = "16 kB and more", ""


@dataclass(frozen=True)
class Measured:
    """One held-out document under one model.

    Args:
        group: the work; documents of a work are not independent of each other.
        period: the century, such as `1700s`; empty for undated documents.
        length: a class of `bytes`.
        tokens: predicted ones: `<END>` counts, `<START>` does not.
        nats, unigram_nats: negative log-likelihood of all its tokens, the model's and the unigram model's.
        first, among_five: tokens that the model thought likeliest, and among the five likeliest.
    """

    id: str
    group: str
    author: str
    source: str
    genre: str
    period: str
    language: str
    length: str
    bytes: int
    tokens: int
    first: int
    among_five: int
    nats: float
    unigram_nats: float


def period(date: str) -> str:
    """The century of an ISO 8601 date: 1790-01-08 is of the `1700s`."""
    return f"{date[:2]}00s" if len(date) >= 4 and date[:4].isdigit() else UNDATED


def length(size: int) -> str:
    """The class of a document of `size` bytes."""
    return next((name for limit, name in LENGTHS if size < limit), LONGEST)


def measured(document: Document, *, tokens: int, first: int, among_five: int, nats: float, unigram_nats: float) -> Measured:
    """The row of a document."""
    size = len(document.text.encode("utf-8"))
    return Measured(
        document.id, document.group, document.author, document.source, document.genre, period(document.date), document.language,
        length(size), size, tokens, first, among_five, nats, unigram_nats,
    )  # fmt: skip


def write_measured(path: Path, rows: Iterable[Measured]) -> None:
    """Write the table, whole or not at all."""
    table = pa.Table.from_pylist([asdict(row) for row in rows], SCHEMA)
    with new_file(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_measured(path: Path) -> Sequence[Measured]:
    """Read the table.

    Raises:
        BadInput: not such a table.
    """
    try:
        rows = pq.read_table(path, schema=SCHEMA).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"no table of measured documents ({error})", where=str(path), remedy="run the evaluation again") from None
    return [Measured(**row) for row in rows]
