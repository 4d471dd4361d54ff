"""Reads a corpus in row groups, so that only a few hundred documents are in memory. Also works on pyarrow 10 (the validate image)."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.corpus.document import Document
from robo_poet.corpus.schema import SCHEMA, SPLITS
from robo_poet.errors import BadInput

__all__ = ["Document", "count_documents", "read_documents"]


def read_documents(path: Path, split: str | None = None) -> Iterator[Document]:
    """Yield the documents of a corpus in their order, of one split or of all.

    Raises:
        BadInput: `path` is not a Parquet file, or not a corpus.
        ValueError: there is no such split.
    """
    if split not in (None, *SPLITS):
        raise ValueError(f"split {split!r} is none of {', '.join(SPLITS)}")
    with _open(path) as file:
        for number in range(file.num_row_groups):
            for row in file.read_row_group(number, columns=SCHEMA.names).to_pylist():
                if split is None or row["split"] == split:
                    yield Document(**row)


def count_documents(path: Path) -> int:
    """Return the number of documents of a corpus, from the file's footer.

    Raises:
        BadInput: as `read_documents`.
    """
    with _open(path) as file:
        return int(file.metadata.num_rows)


def _open(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid:
        raise BadInput("not a Parquet file", where=str(path), remedy="give the corpus that ingest or scrub_pii wrote") from None
    missing = [name for name in SCHEMA.names if name not in file.schema_arrow.names]
    if missing:
        file.close()
        raise BadInput(f"no corpus: it has no column {missing[0]}", where=str(path), remedy="give what ingest or scrub_pii wrote")
    return file
