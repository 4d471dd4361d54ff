"""The table of document likelihoods, from which intervals, slices and comparisons are computed (EVAL-1, EVAL-5)."""

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
SLICES = ("source", "author", "genre", "period", "language", "length")  # columns that define slices
LENGTHS = ((1_000, "below 1 kB"), (4_000, "1 to 4 kB"), (16_000, "4 to 16 kB"))  # bytes of UTF-8
LONGEST, UNDATED = "16 kB and more", ""


@dataclass(frozen=True)
class Measured:
    """The likelihood of one held-out document under one model.

    Args:
        group: the work; documents of one work depend on each other.
        period: the century, such as `1700s`; empty for undated documents.
        length: length class, from `bytes`.
        tokens: number of predicted tokens: `<END>` counts, `<START>` does not.
        nats, unigram_nats: negative log-likelihood of all its tokens under the model and under the unigram model.
        first, among_five: number of tokens that the model ranks first, and among the first five.
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
    """Return the century of an ISO 8601 date, such as `1700s` for 1790-01-08; "" for other text."""
    return f"{date[:2]}00s" if len(date) >= 4 and date[:4].isdigit() else UNDATED


def length(size: int) -> str:
    """Return the length class of a document of `size` bytes."""
    return next((name for limit, name in LENGTHS if size < limit), LONGEST)


def measured(document: Document, *, tokens: int, first: int, among_five: int, nats: float, unigram_nats: float) -> Measured:
    """Return the table row of a document."""
    size = len(document.text.encode("utf-8"))
    return Measured(
        document.id, document.group, document.author, document.source, document.genre, period(document.date), document.language,
        length(size), size, tokens, first, among_five, nats, unigram_nats,
    )  # fmt: skip


def write_measured(path: Path, rows: Iterable[Measured]) -> None:
    """Write the table atomically."""
    table = pa.Table.from_pylist([asdict(row) for row in rows], SCHEMA)
    with new_file(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_measured(path: Path) -> Sequence[Measured]:
    """Read the table.

    Raises:
        BadInput: not a table of document likelihoods.
    """
    try:
        rows = pq.read_table(path, schema=SCHEMA).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"no table of measured documents ({error})", where=str(path), remedy="run the evaluation again") from None
    return [Measured(**row) for row in rows]
