"""The corpus as a Parquet file, one row per document: schema, reader and writer (contract 4).

Both work in row groups, so only a few hundred documents are in memory. The writer is atomic, and the same documents give the same bytes.
The reader also works on pyarrow 10 (the validate image).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput

SPLITS = ("train", "validation", "test")

# `group` is the work a document belongs to (a play, a speech, a file); `split` is one of SPLITS; `date` is ISO 8601 or empty;
# `sha256` is the digest of `text`. Missing strings are empty, never null.
SCHEMA = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in (
            "id", "group", "split", "text", "title", "author", "source", "genre", "language", "date", "licence", "consent", "sha256",
        )
    ]
)  # fmt: skip


def read_documents(path: Path, split: str | None = None, groups: range | None = None) -> Iterator[Document]:
    """Yield the documents of one split, or of all splits if `split` is None, in the order of the file.

    Args:
        groups: numbers of the row groups to read, from 0; None for all.

    Raises:
        BadInput: `path` is not a Parquet file, or not a corpus.
        ValueError: there is no such split.
    """
    if split not in (None, *SPLITS):
        raise ValueError(f"split {split!r} is not one of {', '.join(SPLITS)}")
    with _open_corpus(path) as file:
        for number in range(file.num_row_groups) if groups is None else groups:
            for row in file.read_row_group(number, columns=SCHEMA.names).to_pylist():
                if split is None or row["split"] == split:
                    yield Document(**row)


def count_documents(path: Path) -> int:
    """Return the number of documents in a corpus, read from the file footer.

    Raises:
        BadInput: in the same cases as `read_documents`.
    """
    with _open_corpus(path) as file:
        return int(file.metadata.num_rows)


def row_group_sizes(path: Path) -> list[int]:
    """Return the size of each row group in bytes of the file, read from the file footer.

    Raises:
        BadInput: in the same cases as `read_documents`.
    """
    with _open_corpus(path) as file:
        groups = (file.metadata.row_group(number) for number in range(file.num_row_groups))
        return [sum(group.column(place).total_compressed_size for place in range(group.num_columns)) for group in groups]


def _open_corpus(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid:
        raise BadInput("not a Parquet file", where=str(path), remedy="give the corpus that ingest or scrub_pii wrote") from None
    missing = [name for name in SCHEMA.names if name not in file.schema_arrow.names]
    if missing:
        file.close()
        raise BadInput(
            f"not a corpus: column {missing[0]} is missing", where=str(path), remedy="give the corpus that ingest or scrub_pii wrote"
        )
    return file


GROUP_DOCUMENTS = 256  # documents per row group; a reader has one row group in memory
GROUP_CHARACTERS = 16 << 20  # per row group; limits the memory for long documents


def write_documents(path: Path, documents: Iterable[Document]) -> int:
    """Write `documents` to `path` in row groups of at most 256 documents, and return their number.

    Raises:
        OSError: the disk is full or the folder is not writable; no file is left at `path`.
    """
    count, rows, characters = 0, list[Document](), 0
    with new_file(path) as temporary, pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:
        for document in documents:
            rows.append(document)
            characters += len(document.text)
            count += 1
            if len(rows) == GROUP_DOCUMENTS or characters >= GROUP_CHARACTERS:
                writer.write_batch(_batch(rows))
                rows, characters = [], 0
        if rows:
            writer.write_batch(_batch(rows))
    return count


def _batch(rows: list[Document]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([getattr(row, name) for row in rows], pa.string()) for name in SCHEMA.names], schema=SCHEMA)
