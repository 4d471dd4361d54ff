"""Values that are not text, in JSON Lines and Parquet. Covers: tables, cells."""

import datetime
import io
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.robo_poet.corpus.readers.conftest import Read, Refusal


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def test_nan_is_a_missing_value(read: Read) -> None:
    content = b'{"text":"a","author":NaN}\n{"text":"b","author":"Bob"}\n{"text":"c","author":null}\n{"text":NaN}\n'
    rows, warnings = read("a.jsonl", content)
    assert [(row.text, row.author) for row in rows] == [("a", ""), ("b", "Bob"), ("c", ""), ("", "")]
    assert warnings == ("values NaN were read as missing, 2 in all: a.jsonl (2)",)
    rows, warnings = read("a.parquet", parquet(text=["a", "b"], author=[float("nan"), None]))
    assert [row.author for row in rows] == ["", ""]
    assert warnings == ("values NaN were read as missing, 1 in all: a.parquet (1)",)


def test_numbers_and_dates_become_strings(read: Read) -> None:
    line = {"text": "a", "id": 3, "group": 7.0, "title": 2.5, "date": 1901.0, "consent": False}
    [row], _ = read("a.jsonl", json.dumps(line).encode())
    assert (row.id, row.group, row.title, row.date, row.consent) == ("3", "7", "2.5", "1901", "False")
    [row], _ = read("a.parquet", parquet(text=["a"], date=[datetime.date(1901, 5, 1)], id=[Decimal("1.50")], title=[1e300], group=[2**60]))
    assert (row.id, row.group, row.title, row.date) == ("1.50", str(2**60), "1e+300", "1901-05-01")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": 3}', "'text' is of type int, not a string; write it as a string"),
        ('{"text": ["a", "b"]}', "'text' is of type list, not a string"),
        ('{"text": {"en": "a"}}', "'text' is of type dict, not a string"),
        ('{"text": true}', "'text' is of type bool, not a string"),
        ('{"text": "a", "author": ["A", "B"]}', "'author' is of type list, not a string, a number or a date; write it as a string"),
        ('{"text": "a", "title": {}}', "'title' is of type dict"),
        ('{"text": "a", "id": -Infinity}', "'id' is an infinite number"),
        ('{"text": "a", "id": 1e999}', "'id' is an infinite number"),
        ('{"text": "a", "id": ' + "9" * 5000 + "}", "not JSON: cannot be parsed"),
        (r'{"text": "The sea\u0000"}', "'text': a NUL character; remove it"),
        (r'{"text": "a", "title": "\u0000"}', "'title': a NUL character"),
        (r'{"text": "\ud83c a"}', r"'text': an unpaired surrogate (\ud83c)"),
        ('{"text": "a", "text": "b"}', "a key of the object occurs twice; remove one of the two values"),
        ('{"text": "a', "not JSON: unterminated string"),
        ('{"text": "a"} {"text": "b"}', "not JSON: extra data"),
        ('"a"', "the line is of type str, not a JSON object; write one JSON object per line"),
        ("[" * 100_000, "not JSON: cannot be parsed"),
    ],
)
def test_other_values_are_refused_with_line_and_column(refusal: Refusal, line: str, message: str) -> None:
    assert refusal("a.jsonl", b'{"text": "first"}\n\n' + line.encode()).startswith(f"a.jsonl:3: {message}")


def test_characters_by_escapes(read: Read) -> None:
    line = rb'{"text": "\ud83c\udf0a \u05e9\t\u0001\u2028\"", "x": {"a": 1, "a": 2}}'
    assert read("a.jsonl", line)[0][0].text == '🌊 ש\t\x01\u2028"'


def test_objects_that_were_joined(read: Read) -> None:
    content = b'\xef\xbb\xbf{"text": "a"}\n\xef\xbb\xbf{"text": "b"}\n'
    for name in ("a.jsonl", "a.ndjson"):
        assert [row.text for row in read(name, content)[0]] == ["a", "b"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": [1, 2]}, "a.parquet: row 1: 'text' is of type int, not a string"),
        ({"text": [["a"]]}, "a.parquet: 'text' is of type list, not a string; write it as a string"),
        ({"text": [{"a": "b"}]}, "a.parquet: 'text' is of type struct, not a string"),
        ({"text": [b"a"]}, "a.parquet: row 1: 'text' is of type bytes"),
        ({"text": [datetime.date(1901, 1, 1)]}, "a.parquet: row 1: 'text' is of type date"),
        ({"text": ["a", "b"], "author": [b"x", None]}, "a.parquet: row 1: 'author' is of type bytes"),
        ({"text": ["a", "b"], "author": [None, ["x"]]}, "a.parquet: row 2: 'author' is of type list"),
        ({"text": ["a"], "date": [datetime.timedelta(1)]}, "a.parquet: row 1: 'date' is of type timedelta"),
        ({"text": ["a\0b"]}, "a.parquet: row 1: 'text': a NUL character"),
    ],
)
def test_values_of_parquet_that_are_not_text(refusal: Refusal, columns: dict[str, Any], message: str) -> None:
    assert refusal("a.parquet", parquet(**columns)).startswith(message)


def test_columns_of_parquet_with_one_name(refusal: Refusal) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"]), buffer)
    assert refusal("a.parquet", buffer.getvalue()).startswith("a.parquet: 2 columns are called 'text'")


def test_a_large_text_is_read(read: Read) -> None:
    word = "w" * 3_000_000
    for name, content in {"a.jsonl": json.dumps({"text": word}), "a.csv": f'text\n"{word}"\n', "a.txt": word}.items():
        [row], _ = read(name, content.encode())
        assert row.text == word


def test_a_damaged_parquet_file_is_one_line(refusal: Refusal) -> None:
    whole = parquet(text=["The sea is wide"] * 30, author=["Ann"] * 30)
    half = len(whole) // 2
    for damaged in (whole[:-3], whole.replace(b"author", b"auth\xafr"), whole[:half] + b"\xff" * 40 + whole[half + 40 :]):
        assert refusal("a.parquet", damaged) == "a.parquet: not a Parquet file, or damaged; write the file again"
