"""The table of document likelihoods, and the metrics of held-out likelihood with confidence intervals (EVAL-1, EVAL-5).

Slices and comparisons are computed from the same table.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput
from robo_poet.judges.estimate import Estimate
from robo_poet.judges.intervals import ratio_estimate
from robo_poet.judges.metrics import METRICS
from robo_poet.judges.units import MINIMUM_WORKS, Units, units

SCHEMA = pa.schema(
    [pa.field(name, pa.string(), nullable=False) for name in ("id", "group", "author", "source", "genre", "period", "language", "length")]
    + [pa.field(name, pa.int64(), nullable=False) for name in ("bytes", "tokens", "first", "among_five")]
    + [pa.field(name, pa.float64(), nullable=False) for name in ("nats", "unigram_nats")]
    + [pa.field("blocks", pa.list_(pa.struct([
        *(pa.field(name, pa.int64(), nullable=False) for name in ("bytes", "tokens", "first", "among_five")),
        *(pa.field(name, pa.float64(), nullable=False) for name in ("nats", "unigram_nats")),
    ])))]  # null in tables of older releases
)  # fmt: skip
BLOCK_BYTES = 2_000  # size of a block, about 500 tokens
SLICES = ("source", "author", "genre", "period", "language", "length")  # columns that define slices
LENGTHS = ((1_000, "below 1 kB"), (4_000, "1 to 4 kB"), (16_000, "4 to 16 kB"))  # bytes of UTF-8
LONGEST, UNDATED = "16 kB and more", ""


@dataclass(frozen=True)
class Block:
    """The likelihood of one block: a contiguous part of a document, of about BLOCK_BYTES. The fields are those of `DocumentLikelihood`."""

    bytes: int
    tokens: int
    first: int
    among_five: int
    nats: float
    unigram_nats: float


@dataclass(frozen=True)
class DocumentLikelihood:
    """The likelihood of one held-out document under one model.

    Args:
        group: the work; documents of one work depend on each other.
        period: the century, such as `1700s`; empty for undated documents.
        length: length class, from `bytes`.
        tokens: number of predicted tokens: `<END>` counts, `<START>` does not.
        nats, unigram_nats: negative log-likelihood of all its tokens under the model and under the unigram model.
        blocks: its blocks, at the same bytes for every tokenizer; a token belongs to the block in which it starts. Empty in tables of older
            releases.
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
    blocks: tuple[Block, ...] = ()


def period(date: str) -> str:
    """Return the century of an ISO 8601 date, such as `1700s` for 1790-01-08; "" for other text."""
    return f"{date[:2]}00s" if len(date) >= 4 and date[:4].isdigit() else UNDATED


def length(size: int) -> str:
    """Return the length class of a document of `size` bytes."""
    return next((name for limit, name in LENGTHS if size < limit), LONGEST)


def document_likelihood(
    document: Document, *, tokens: int, first: int, among_five: int, nats: float, unigram_nats: float, blocks: Sequence[Block] = ()
) -> DocumentLikelihood:
    """Return the table row of a document."""
    size = len(document.text.encode("utf-8"))
    return DocumentLikelihood(
        document.id, document.group, document.author, document.source, document.genre, period(document.date), document.language,
        length(size), size, tokens, first, among_five, nats, unigram_nats, tuple(blocks),
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
    return [DocumentLikelihood(**{**row, "blocks": tuple(Block(**block) for block in row["blocks"] or ())}) for row in rows]


def block_count(size: int) -> int:
    """Return the number of blocks of a document of `size` bytes."""
    return max(1, round(size / BLOCK_BYTES))


def unit_rows(
    rows: Sequence[DocumentLikelihood], *others: Sequence[DocumentLikelihood], fewest: int = MINIMUM_WORKS
) -> tuple[Units, list[list[DocumentLikelihood]]]:
    """Return the independent units of an interval, and the rows of each table that they number.

    The units are works, else documents. If there are too few documents, they are blocks: each document is replaced by one row per block.

    Args:
        rows, others: tables of the same documents in the same order, under different models.
        fewest: fewest works that are units.
    """
    tables = [rows, *others]
    works, documents = [row.group for row in rows], list(rows)
    whole = units(works, fewest=fewest)
    divisible = all(len({len(row.blocks) for row in same}) == 1 for same in zip(*tables, strict=True))
    if whole.name == "work" or not divisible:
        return whole, [list(table) for table in tables]
    parts = [[part for row in table for part in _parts(row)] for table in tables]
    grouping = units([part.group for part in parts[0]], [part.id for part in parts[0]], fewest=fewest)
    return (grouping, parts) if grouping.name == "block" else (whole, [documents, *map(list, others)])


def _parts(row: DocumentLikelihood) -> list[DocumentLikelihood]:
    """Return one row per block."""
    return [replace(row, **asdict(block), blocks=()) for block in row.blocks] or [row]


LN2 = math.log(2)
RowValue = Callable[[DocumentLikelihood], float]
# metric → (numerator, denominator), summed over documents
RATIOS: dict[str, tuple[RowValue, RowValue]] = {
    "bits_per_byte": (lambda row: row.nats / LN2, lambda row: row.bytes),
    "token_accuracy": (lambda row: row.first, lambda row: row.tokens),
    "top5_accuracy": (lambda row: row.among_five, lambda row: row.tokens),
    "unigram_bits_per_byte": (lambda row: row.unigram_nats / LN2, lambda row: row.bytes),
}


PERPLEXITIES: dict[str, RowValue] = {"perplexity": lambda row: row.nats, "unigram_perplexity": lambda row: row.unigram_nats}


def likelihood_metrics(rows: Sequence[DocumentLikelihood], seed: int) -> dict[str, Estimate]:
    """Return all likelihood metrics by name.

    Bits per byte divides by the UTF-8 bytes of the text. So it does not depend on the tokenizer, and any two models can be compared.

    Args:
        seed: seed of the bootstrap over units (see `units`).
    """
    grouping, (measured,) = unit_rows(rows)

    def estimate(top: RowValue, bottom: RowValue, least: float, most: float) -> Estimate:
        sums = grouping.sums([top(row) for row in measured], [bottom(row) for row in measured])
        return ratio_estimate(*sums, seed=seed, least=least, most=most, unit=grouping.name)

    estimates = {name: estimate(*ratio, METRICS[name].least, METRICS[name].most) for name, ratio in RATIOS.items()}
    for name, nats in PERPLEXITIES.items():
        least, most = math.log(METRICS[name].least), METRICS[name].most
        estimates[name] = _transformed(perplexity, estimate(nats, lambda row: row.tokens, least, most))
    name = "bits_saved_over_unigram"
    nats_ratio = estimate(lambda row: row.nats, lambda row: row.unigram_nats, 1 - METRICS[name].most, 1 - METRICS[name].least)
    estimates[name] = _saved(nats_ratio)
    return estimates


def bits_saved(rows: Sequence[DocumentLikelihood], baseline: Sequence[DocumentLikelihood], seed: int) -> Estimate:
    """Return 1 − bits of `rows` / bits of `baseline`. It is below 0 if the baseline needs fewer bits.

    Args:
        rows, baseline: documents in the same order; the documents of a pair have the same work and the same number of bytes.
        seed: seed of the bootstrap over units (see `units`).
    """
    grouping, (own, other) = unit_rows(rows, baseline)
    sums = grouping.sums([row.nats for row in own], [row.nats for row in other])
    return _saved(ratio_estimate(*sums, seed=seed, least=0, most=math.inf, unit=grouping.name))


def _saved(ratio: Estimate) -> Estimate:
    return replace(ratio, value=1 - ratio.value, low=1 - ratio.high, high=1 - ratio.low)


def perplexity(nats: float) -> float:
    """Return exp of the mean cross-entropy (nats per token); infinite on overflow, 0 on underflow."""
    return math.exp(nats) if nats < 700 else math.inf


def _transformed(increasing: Callable[[float], float], estimate: Estimate) -> Estimate:
    return replace(estimate, value=increasing(estimate.value), low=increasing(estimate.low), high=increasing(estimate.high))
