"""Writes a corpus from a stream of documents to one Parquet file, atomically. The same documents give the same bytes."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.corpus.document import Document
from robo_poet.corpus.schema import SCHEMA

ROWS = 256  # documents per row group, which a reader holds in memory
CHARACTERS = 16 << 20  # per row group; limits the memory for long documents


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
            if len(rows) == ROWS or characters >= CHARACTERS:
                writer.write_batch(_batch(rows))
                rows, characters = [], 0
        if rows:
            writer.write_batch(_batch(rows))
    return count


def _batch(rows: list[Document]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([getattr(row, name) for row in rows], pa.string()) for name in SCHEMA.names], schema=SCHEMA)
