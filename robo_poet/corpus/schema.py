"""The schema of the corpus: Parquet, one row per document (contract 4)."""

import pyarrow as pa

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
