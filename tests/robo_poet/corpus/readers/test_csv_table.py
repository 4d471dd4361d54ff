"""Separators, quotes, ragged rows and headers of CSV. Covers: csv_table."""

import pytest

from tests.robo_poet.corpus.readers.conftest import Read, Refusal

ROWS = [("The sea, wide; deep", "Ann"), ('Two\nlines\r\nand "quotes"', "Bob|Cid"), ("a\tb", "")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"text;author\nThe sea is wide;Ann\n"),
        ("a.csv", b"author|text\nAnn|The sea is wide\n"),
        ("a.csv", b"id\ttext\tauthor\n\tThe sea is wide\tAnn\n"),
        ("a.tsv", b"text\tauthor\nThe sea is wide\tAnn\n"),
        ("a.csv", b"sep=;\r\ntext;author\r\nThe sea is wide;Ann\r\n"),
        ("a.csv", b"sep=^\ntext^author\nThe sea is wide^Ann\n"),
        ("a.csv", b"text, author\nThe sea is wide, Ann\n"),
        ("a.csv", b" text , author \nThe sea is wide,Ann\n"),
        ("a.csv", b"\n\n\"text\",\"author\"\n\n\"The sea is wide\",\"Ann\"\n\n"),
        ("a.csv", b"text,author,,\nThe sea is wide,Ann,,\n"),
        ("a.csv", b"text,author\nThe sea is wide,Ann,,,\n"),
        ("a.csv", b"text,author\rThe sea is wide,Ann\r"),
        ("a.csv", b"x,x,text,author\n1,2,The sea is wide,Ann"),
        ("a.csv", b"text;score;author\nThe sea is wide;3,14;Ann\n"),
    ],
)  # fmt: skip
def test_a_table_of_any_separator(read: Read, name: str, content: bytes) -> None:
    [row], warnings = read(name, content)
    assert (row.text, row.author, row.id, warnings) == ("The sea is wide", "Ann", f"{name}#1", ())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_quoted_cells_keep_every_character(read: Read, separator: str) -> None:
    quoted = ["text", "author"], *ROWS
    content = "\r\n".join(separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in quoted)
    rows, _ = read("a.csv", content.encode())
    assert [(row.text, row.author) for row in rows] == ROWS


def test_commas_that_are_followed_by_blanks_and_quotes(read: Read) -> None:
    rows, _ = read("a.csv", b'id, text\n1, "The sea, wide"\n2, plain\n')
    assert [(row.id, row.text) for row in rows] == [("1", "The sea, wide"), ("2", "plain")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "text,author\nx,y\nThe sea, wide,Ann\n",
            "a.csv:3: the row has more cells than the header (3, not 2); quote cells that contain commas",
        ),
        ("text;author\nx;y;z\n", "a.csv:2: the row has more cells than the header (3, not 2); quote cells that contain semicolons"),
        (
            "text,author\nThe sea is wide\nand long,Ann\n",
            "a.csv:2: the row has 1 cell, and the header 2; quote cells that contain line breaks",
        ),
        ("a,b,text\n1,2\n", "a.csv:2: the row has 2 cells, and the header 3"),
        ("text,text\nx,y\n", "a.csv: 2 columns are called 'text'; rename or remove all but one"),
        ("text,author, author\nx,y,z\n", "a.csv: 2 columns are called 'author'"),
        ("body;author\nx;y\n", "a.csv: no column 'text'; existing columns: body, author; set ingest.columns.text"),
        ('text,author\n"line\nline",x\n"open\nand on\n', "a.csv:4: malformed CSV: unexpected end of data; quote cells"),
        ('text\n"say \\"hi\\" now"\n', "a.csv:2: malformed CSV: ',' expected after '\"'"),
        ("", "a.csv: no column 'text'; existing columns: none"),
        ("\n\n", "a.csv: no column 'text'; existing columns: none"),
        ("sep=;\n", "a.csv: no column 'text'; existing columns: none"),
        ("text\nHello, world\n", "a.csv:2: the row has more cells than the header (2, not 1)"),
    ],
)
def test_what_cannot_be_read_right_is_refused(refusal: Refusal, content: str, message: str) -> None:
    assert refusal("a.csv", content.encode()).startswith(message)
