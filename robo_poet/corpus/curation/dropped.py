"""The table of the documents that a corpus leaves out (artifact `dropped`): one row per document, with the reason, without its text.

A document that was deleted on request has a row without id, title, author and source.
"""

from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, fields
from math import isnan, nan
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.errors import BadInput

KEPT = ""
EMPTY, EXACT, NEAR, SAMPLE, DELETED = "empty", "exact_duplicate", "near_duplicate", "sample", "deleted_on_request"
DAMAGED, FEW_WORDS, FEW_LETTERS, REPEATED_LINES, LANGUAGE = "damaged", "few_words", "few_lettered_words", "repeated_lines", "language"
# reason → what it means; `value` is the measured value of the row
REASONS = {
    EMPTY: "no text",
    EXACT: "exact duplicate",
    NEAR: "near-duplicate",
    DAMAGED: "too large a share of damaged characters",
    FEW_WORDS: "too few words",
    FEW_LETTERS: "too small a share of words with a letter",
    REPEATED_LINES: "too large a share of repeated lines",
    LANGUAGE: "another language",
    SAMPLE: "not in the random sample",
    DELETED: "deleted on request",
}
QUALITY_REASONS = (DAMAGED, FEW_WORDS, FEW_LETTERS, REPEATED_LINES, LANGUAGE)
_CODES = (KEPT, *REASONS)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A document that was left out.

    Attributes:
        group, title, author, source: as in the corpus; they may be empty.
        reason: one of `REASONS`.
        duplicate_of: id of the document that it repeats, if the reason is a duplicate.
        value: similarity of a near-duplicate, or the measured value of a quality rule.
        language: the language, if this is the reason.
    """

    id: str
    reason: str
    group: str = ""
    title: str = ""
    author: str = ""
    source: str = ""
    duplicate_of: str = ""
    value: float | None = None
    language: str = ""

    @property
    def why(self) -> str:
        """Return the reason in words, such as `near-duplicate of poem-3 (similarity 0.93)`."""
        if self.reason in (EXACT, NEAR):
            similarity = f" (similarity {self.value:.2f})" if self.value is not None else ""
            return f"{REASONS[self.reason]} of {self.duplicate_of}{similarity}"
        measured = self.language or ("" if self.value is None else f"{self.value:.4g}")
        return REASONS.get(self.reason, self.reason) + (f": {measured}" if measured else "")


SCHEMA = pa.schema([pa.field(item.name, pa.float64() if item.name == "value" else pa.string()) for item in fields(Dropped)])
ROW_GROUP = 8192


@dataclass
class Drops:
    """Which documents of a source are dropped and why, by index in reading order: 17 bytes per document, and the ids of originals.

    Attributes:
        originals: index of a document that others repeat → its id.
        languages: index of a document that was dropped for its language → the language.
    """

    reasons: bytearray = field(default_factory=bytearray)
    others: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    originals: dict[int, str] = field(default_factory=dict)
    languages: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.reasons)

    def add(self) -> int:
        """Add the next document, which is kept, and return its index."""
        self.reasons.append(0)
        self.others.append(-1)
        self.values.append(nan)
        return len(self.reasons) - 1

    def drop(self, index: int, reason: str, *, of: tuple[int, str] | None = None, value: float | None = None, language: str = "") -> None:
        """Record that a document is dropped.

        Args:
            of: index and id of the document that it repeats.
        """
        self.reasons[index] = _CODES.index(reason)
        if of:
            self.others[index] = of[0]
            self.originals[of[0]] = of[1]
        if value is not None:
            self.values[index] = value
        if language:
            self.languages[index] = language

    def drop_copies(self, originals: Collection[int], reason: str) -> list[int]:
        """Drop the documents that repeat one of `originals` for another reason, and return their indexes."""
        copies = [index for index, other in enumerate(self.others) if other in originals] if originals else []
        for index in copies:
            self.drop(index, reason)
        for index in originals:
            self.originals.pop(index, None)
        return copies

    def keeps(self, index: int) -> bool:
        """Return True if the document is not dropped."""
        return not self.reasons[index]

    def row(self, index: int, *, id: str, group: str, title: str, author: str, source: str) -> Dropped:
        """Return the row of a dropped document; without its names if it was deleted on request."""
        if _CODES[self.reasons[index]] == DELETED:
            return Dropped("", DELETED)
        value = self.values[index]
        return Dropped(
            id, _CODES[self.reasons[index]], group, title, author, source, self.originals.get(self.others[index], ""),
            None if isnan(value) else value, self.languages.get(index, ""),
        )  # fmt: skip

    def counts(self) -> Counter[str]:
        """Return the number of dropped documents by reason."""
        return Counter({_CODES[code]: count for code, count in Counter(self.reasons).items() if code})


class DroppedWriter:
    """Writes the table, atomically, in row groups. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        self._new = new_file(path)
        self._rows: list[Dropped] = []

    def __enter__(self) -> "DroppedWriter":
        self._writer = pq.ParquetWriter(self._new.__enter__(), SCHEMA, compression="zstd")
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._flush()
        self._writer.close()
        self._new.__exit__(*error)  # type: ignore[arg-type]

    def write(self, row: Dropped) -> None:
        """Add a row."""
        self._rows.append(row)
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            columns = [pa.array([getattr(row, name) for row in self._rows], SCHEMA.field(name).type) for name in SCHEMA.names]
            self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=SCHEMA))
            self._rows = []


def write_dropped(path: Path, rows: Iterable[Dropped]) -> None:
    """Write the table to `path`, atomically."""
    with DroppedWriter(path) as writer:
        for row in rows:
            writer.write(row)


def is_dropped(path: Path) -> bool:
    """Return True if a file is a table of dropped documents."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1" and pq.read_schema(path).names == SCHEMA.names
    except (OSError, pa.ArrowException):
        return False


def read_dropped(path: Path) -> Iterator[Dropped]:
    """Yield the rows in order of the corpus; documents deleted on request come last.

    Raises:
        BadInput: the file is no such table.
    """
    if not is_dropped(path):
        raise BadInput("not a table of dropped documents", where=str(path), remedy="give the output `dropped` of ingest")
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            for row in file.read_row_group(number).to_pylist():
                yield Dropped(**row)


def count_reasons(path: Path) -> dict[str, int]:
    """Return reason → number of documents, in the order of `REASONS`.

    Raises:
        BadInput: the file is no such table.
    """
    if not is_dropped(path):
        raise BadInput("not a table of dropped documents", where=str(path), remedy="give the output `dropped` of ingest")
    counts = Counter(pq.read_table(path, columns=["reason"])["reason"].to_pylist())
    return {reason: counts[reason] for reason in REASONS if counts[reason]}
