"""Generated files: the readers give what a reference reading gives, or one line. Covers: tables, csv_table, text_files, encoding, cells.

A whole file must be read exactly. A damaged file must give the documents of the reference, or `BadInput`; any other exception fails.
"""

import bz2
import contextlib
import csv
import gzip
import io
import json
import lzma
import math
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from robo_poet.corpus.document import Document
from robo_poet.corpus.source import open_source
from robo_poet.corpus.source_digest import source_digest
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings

SEPARATORS = [",", ";", "\t", "|"]
LINE_ENDS = ["\n", "\r\n", "\r"]
FORMS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]
PACKERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
HARD = st.sampled_from(
    [
        "",
        " ",
        '"',
        '""',
        ",",
        ";",
        "\t",
        "|",
        "\n",
        "\r\n",
        "\r",
        "\u2028",
        "\x0b\x1c\x85",
        "'",
        "\\",
        "ש\u202e",
        "👩‍👩‍👧",
        "\ufeff",
        "---",
        "\f",
        "é",
        "sep=;",
    ]
)
CELL = st.lists(TEXT | HARD, max_size=4).map("".join)
EDITS = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from(["flip", "cut", "double", "insert", "end"]), st.binary(min_size=1, max_size=4)),
    min_size=1,
    max_size=3,
)


def reading(name: str, content: bytes, **settings: Any) -> list[Document]:
    """Read a file twice, as ingest does. `BadInput` must be one line that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        try:
            source = open_source(str(path), source_digest(str(path)), IngestSettings(**settings))
            documents = list(source.documents())
            assert list(source.documents()) == documents
            source.verify()
        except BadInput as error:
            assert str(error).startswith(str(path))
            assert "\n" not in str(error)
            assert len(str(error)) < 600
            raise
        return documents


def fields(documents: list[Document]) -> list[tuple[str, str]]:
    return [(document.text, document.author) for document in documents]


def damaged(content: bytes, edits: list[tuple[int, str, bytes]]) -> bytes:
    for position, kind, data in edits:
        at = position % (len(content) + 1)
        if kind == "flip":
            content = content[:at] + data + content[at + len(data) :]
        elif kind == "cut":
            content = content[:at] + content[at + len(data) :]
        elif kind == "double":
            content = content[:at] + content[at : at + 20] * 2 + content[at + 20 :]
        elif kind == "insert":
            content = content[:at] + data + content[at:]
        else:
            content = content[:at]
    return content


def quoted(cell: str, always: bool, separator: str) -> str:
    """Return a cell as RFC 4180 writes it. Quotes are needed for separators, quotes and line ends, and for a cell that begins with a blank."""
    plain = cell and not always and not re.search(rf'["\r\n{re.escape(separator)}]', cell)
    return cell if plain else '"' + cell.replace('"', '""') + '"'


TABLES = st.lists(st.tuples(CELL, CELL), max_size=5)


@given(
    TABLES,
    st.sampled_from(SEPARATORS),
    st.sampled_from(LINE_ENDS),
    st.sampled_from(FORMS),
    st.sampled_from(sorted(PACKERS)),
    st.booleans(),
    st.booleans(),
)
def test_each_csv_file_is_read_exactly(
    rows: list[tuple[str, str]], separator: str, end: str, form: str, pack: str, always: bool, last: bool
) -> None:
    lines = [separator.join(quoted(cell, always, separator) for cell in row) for row in [("text", "author"), *rows]]
    content = (end.join(lines) + (end if last else "")).encode(form)
    assert fields(reading(f"a.csv{pack}", PACKERS[pack](content))) == rows


@given(TABLES, st.sampled_from(SEPARATORS), EDITS)
def test_a_damaged_csv_file_is_read_as_the_reference_reads_it(
    rows: list[tuple[str, str]], separator: str, edits: list[tuple[int, str, bytes]]
) -> None:
    lines = [separator.join(quoted(cell, False, separator) for cell in row) for row in [("text", "author"), *rows]]
    content = damaged("\n".join(lines).encode(), edits)
    try:
        found = fields(reading("a.csv", content))
    except BadInput:
        return
    assert found in [_csv_reference(content, candidate) for candidate in SEPARATORS]


def _csv_reference(content: bytes, separator: str) -> list[tuple[str, str]] | None:
    """Return what the standard library reads from a file, with the blanks around column names removed."""
    rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator) if row]
    spaced = len(rows[0]) > 1 and all(cell.startswith(" ") for cell in rows[0][1:])
    if spaced:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        rows = [row for row in csv.reader(text, delimiter=separator, skipinitialspace=True) if row]
    header = [cell.strip() for cell in rows[0]]
    if "text" not in header:
        return None
    author = header.index("author") if "author" in header else len(header)
    return [(row[header.index("text")], [*row, ""][author] if author < len(header) else "") for row in rows[1:]]


VALUES = (
    st.none() | CELL | st.integers(-(10**6), 10**6) | st.floats() | st.booleans() | st.lists(st.integers(), max_size=1) | st.just({"a": 1})
)


def expected(text: Any, author: Any) -> tuple[str, str] | None:
    """Return the fields of a row, by the documented rules; None if it is refused."""
    if isinstance(text, float) and math.isnan(text):
        text = None
    if isinstance(author, float) and math.isnan(author):
        author = None
    if not isinstance(text, str | None) or isinstance(author, list | dict) or (isinstance(author, float) and math.isinf(author)):
        return None
    if isinstance(author, float) and author.is_integer() and abs(author) < 1e15:
        author = int(author)
    return text or "", "" if author is None else str(author)


@given(
    st.lists(st.tuples(VALUES, VALUES), max_size=4),
    st.sampled_from(LINE_ENDS),
    st.sampled_from(FORMS),
    st.sampled_from(sorted(PACKERS)),
    st.booleans(),
)
def test_each_json_file_is_read_exactly_or_refused(rows: list[tuple[Any, Any]], end: str, form: str, pack: str, escapes: bool) -> None:
    lines = [json.dumps({"text": text, "author": author}, ensure_ascii=escapes) for text, author in rows]
    content = PACKERS[pack](end.join(lines).encode(form))
    wanted = [expected(*row) for row in rows]
    try:
        found = fields(reading(f"a.jsonl{pack}", content))
    except BadInput as error:
        number = wanted.index(None) + 1  # an error needs a row that is refused, and names the first
        assert f"a.jsonl{pack}:{number}: " in str(error)
        return
    assert found == wanted


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4), EDITS)
def test_a_damaged_json_file_is_read_as_the_reference_reads_it(rows: list[tuple[str, str]], edits: list[tuple[int, str, bytes]]) -> None:
    content = damaged("\n".join(json.dumps({"text": text, "author": author}) for text, author in rows).encode(), edits)
    try:
        found = fields(reading("a.jsonl", content))
    except BadInput:
        return
    lines = [line for line in re.split(r"\r\n|\r|\n", content.decode("utf-8-sig")) if line.strip()]
    assert found == [expected(value.get("text"), value.get("author")) for value in map(json.loads, lines)]


@given(CELL, st.sampled_from(FORMS), st.sampled_from(sorted(PACKERS)))
def test_each_text_is_read_exactly(text: str, form: str, pack: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"a.txt{pack}").write_bytes(PACKERS[pack](text.encode(form)))
        source = open_source(folder, source_digest(folder), IngestSettings())
        if text.strip() and (text.removeprefix("\ufeff") == text or form == "utf-8-sig"):
            [document] = source.documents()
            assert document.text == text


@given(
    st.binary(max_size=60),
    st.sampled_from([".txt", ".md", ".csv", ".tsv", ".jsonl", ".parquet", ".zip", ".txt.gz", ".csv.bz2", ".jsonl.xz"]),
)
def test_no_bytes_give_another_error(content: bytes, suffix: str) -> None:
    for data in (content, b"text\n" + content, b"text,author\n" + content, b"PAR1" + content, b"PK\3\4" + content, b"\xff\xfe" + content):
        try:
            documents = reading(f"a{suffix}", data, encoding="windows-1252")
        except BadInput:
            continue
        assert all("\0" not in document.text for document in documents)


@given(st.lists(CELL.filter(str.strip), min_size=1, max_size=3, unique=True), st.sampled_from([".gz", ".bz2", ".xz", ".zip"]), EDITS)
def test_a_damaged_compressed_file_never_gives_another_text(texts: list[str], pack: str, edits: list[tuple[int, str, bytes]]) -> None:
    assume(not any("\ufeff" in text or "\f" in text or "\r" in text or text.strip("\r\n") != text or "---" in text for text in texts))
    if pack == ".zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            for number, text in enumerate(texts):
                file.writestr(f"{number}.txt", text)
        name, whole = "a.zip", buffer.getvalue()
    else:
        name, whole = f"a.txt{pack}", PACKERS[pack](texts[0].encode())
    try:
        documents = reading(name, damaged(whole, edits))
    except BadInput:
        return
    assert {document.text for document in documents} <= set(texts)


@given(
    st.lists(st.tuples(st.none() | CELL, st.none() | CELL), min_size=1, max_size=600),
    st.sampled_from(["none", "snappy", "zstd"]),
    st.booleans(),
)
def test_each_parquet_file_is_read_exactly(rows: list[tuple[str | None, str | None]], compression: str, dictionary: bool) -> None:
    buffer = io.BytesIO()
    columns = {
        "text": pa.array([text for text, _ in rows], pa.string()),
        "author": pa.array([author for _, author in rows], pa.large_string()),
    }
    pq.write_table(pa.table(columns), buffer, compression=compression, use_dictionary=dictionary, row_group_size=100)
    assert fields(reading("a.parquet", buffer.getvalue())) == [(text or "", author or "") for text, author in rows]


@pytest.mark.soak
@given(
    st.sampled_from(["none", "snappy", "zstd", "gzip"]),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_a_damaged_parquet_file_is_read_or_refused(compression: str, dictionary: bool, changes: list[tuple[int, int]]) -> None:
    """pyarrow 25 ended the process when it was asked for the sizes of damaged columns."""
    buffer = io.BytesIO()
    table = pa.table({"text": ["The sea is wide", "b", None, "é"] * 20, "author": [1.5, 2.0, None, math.nan] * 20})
    pq.write_table(table, buffer, compression=compression, use_dictionary=dictionary)
    content = bytearray(buffer.getvalue())
    for position, value in changes:
        content[-1 - position % len(content)] = value
    with contextlib.suppress(BadInput):
        reading("a.parquet", bytes(content))
