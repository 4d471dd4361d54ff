"""The table of document likelihoods, and the metrics of held-out likelihood with confidence intervals (EVAL-1, EVAL-5).

Slices and comparisons are computed from the same table.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.intervals import ratio_estimate
from robo_poet.judges.units import units

SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("id", "group", "author", "source", "genre", "period", "language", "length")]
    + [pa.field(name, pa.int64(), nullable=False) for name in ("bytes", "tokens", "first", "among_five")]
    + [pa.field(name, pa.float64(), nullable=False) for name in ("nats", "unigram_nats")]
)
SLICES = ("source", "author", "genre", "period", "language", "length")  # columns that define slices
LENGTHS = ((1_000, "below 1 kB"), (4_000, "1 to 4 kB"), (16_000, "4 to 16 kB"))  # bytes of UTF-8
LONGEST, UNDATED = "16 kB and more", ""


@dataclass(frozen=True)
class DocumentLikelihood:
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


def document_likelihood(
    document: Document, *, tokens: int, first: int, among_five: int, nats: float, unigram_nats: float
) -> DocumentLikelihood:
    """Return the table row of a document."""
    size = len(document.text.encode("utf-8"))
    return DocumentLikelihood(
        document.id, document.group, document.author, document.source, document.genre, period(document.date), document.language,
        length(size), size, tokens, first, among_five, nats, unigram_nats,
    )  # fmt: skip


def write_likelihoods(path: Path, rows: Iterable[DocumentLikelihood]) -> None:
    """Write the table atomically."""
    table = pa.Table.from_pylist([asdict(row) for row in rows], SCHEMA)
    with new_file(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_likelihoods(path: Path) -> Sequence[DocumentLikelihood]:
    """Read the table.

    Raises:
        BadInput: not a table of document likelihoods.
    """
    try:
        rows = pq.read_table(path, schema=SCHEMA).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"not a table of document likelihoods ({error})", where=str(path), remedy="run the evaluation again") from None
    return [DocumentLikelihood(**row) for row in rows]


LN2 = math.log(2)
RowValue = Callable[[DocumentLikelihood], float]
# metric → (numerator, denominator), summed over documents
RATIOS: dict[str, tuple[RowValue, RowValue]] = {
    "bits_per_byte": (lambda row: row.nats / LN2, lambda row: row.bytes),
    "token_accuracy": (lambda row: row.first, lambda row: row.tokens),
    "top5_accuracy": (lambda row: row.among_five, lambda row: row.tokens),
    "unigram_bits_per_byte": (lambda row: row.unigram_nats / LN2, lambda row: row.bytes),
}


def likelihood_metrics(rows: Sequence[DocumentLikelihood], seed: int) -> dict[str, Estimate]:
    """Return all likelihood metrics by name.

    Bits per byte divides by the UTF-8 bytes of the text. So it does not depend on the tokenizer, and any two models can be compared.

    Args:
        seed: seed of the bootstrap over units (see `units`).
    """
    grouping = units([row.group for row in rows])

    def estimate(top: RowValue, bottom: RowValue) -> Estimate:
        return ratio_estimate(*grouping.sums([top(row) for row in rows], [bottom(row) for row in rows]), seed=seed)

    estimates = {name: estimate(*ratio) for name, ratio in RATIOS.items()}
    estimates["perplexity"] = _transformed(perplexity, estimate(lambda row: row.nats, lambda row: row.tokens))
    estimates["unigram_perplexity"] = _transformed(perplexity, estimate(lambda row: row.unigram_nats, lambda row: row.tokens))
    nats_ratio = estimate(lambda row: row.nats, lambda row: row.unigram_nats)
    estimates["bits_saved_over_unigram"] = Estimate(1 - nats_ratio.value, 1 - nats_ratio.high, 1 - nats_ratio.low, nats_ratio.units)
    return estimates


def perplexity(nats: float) -> float:
    """Return exp of the mean cross-entropy (nats per token); infinite on overflow, 0 on underflow."""
    return math.exp(nats) if nats < 700 else math.inf


def _transformed(increasing: Callable[[float], float], estimate: Estimate) -> Estimate:
    return Estimate(increasing(estimate.value), increasing(estimate.low), increasing(estimate.high), estimate.units)
