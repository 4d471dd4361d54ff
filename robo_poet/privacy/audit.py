"""The audit table of a scrubbing: Parquet, one row per finding. It records position and kind, never the text (DATA-3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput
from robo_poet.privacy.finding import Finding

# `start` and `end` count characters of the document's text before it was scrubbed.
AUDIT = pa.schema(
    [
        ("document", pa.string()), ("source", pa.string()), ("entity", pa.string()), ("start", pa.int64()), ("end", pa.int64()),
        ("score", pa.float64()), ("recognizer", pa.string()),
    ]
)  # fmt: skip
ROWS = 4_096  # findings per row group


class AuditWriter:
    """A writer that collects rows and writes them in row groups."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._rows: list[dict[str, object]] = []

    def add(self, document: Document, findings: list[Finding]) -> None:
        """Add one row per finding in a document."""
        for f in findings:
            self._rows.append(
                {
                    "document": document.id, "source": document.source, "entity": f.entity, "start": f.start, "end": f.end,
                    "score": round(f.score, 4), "recognizer": f.recognizer,
                }
            )  # fmt: skip
        if len(self._rows) >= ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the collected rows."""
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, AUDIT))
            self._rows = []


@contextmanager
def new_audit(path: Path) -> Iterator[AuditWriter]:
    """Yield a writer of an audit that appears at `path` atomically on success."""
    with new_file(path) as temporary, pq.ParquetWriter(temporary, AUDIT, compression="zstd") as writer:
        audit = AuditWriter(writer)
        yield audit
        audit.flush()


def read_audit(path: Path) -> dict[str, list[tuple[str, int, int]]]:
    """Return document id → (entity, start, end) of each finding in it. Offsets count characters before scrubbing.

    Raises:
        BadInput: not an audit table.
    """
    findings: dict[str, list[tuple[str, int, int]]] = {}
    try:
        for batch in pq.ParquetFile(path).iter_batches(columns=["document", "entity", "start", "end"]):
            for document, entity, start, end in zip(*batch.to_pydict().values(), strict=True):
                findings.setdefault(document, []).append((entity, start, end))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise BadInput(f"no audit of a scrubbing ({error})", where=str(path), remedy="scrub the corpus again") from None
    return findings
