"""Unicode is recognised; other encodings are read only if they are named, and counted. Covers: encoding, reading_log."""

import pytest

from robo_poet.corpus.readers import encoding
from robo_poet.corpus.readers.encoding import probable_encoding, unicode_form
from robo_poet.corpus.readers.reading_log import ReadingLog
from robo_poet.settings.data import IngestSettings, codec_of
from tests.robo_poet.corpus.readers.conftest import Read, Refusal

TEXT = "The sea is wide – “and” À l'été 🌊\nשלום עולם\n"
FORMS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_unicode_with_its_mark_is_read_without_a_word(read: Read, form: str, line_end: str) -> None:
    content = TEXT.replace("\n", line_end)
    [document], warnings = read("a.txt", content.encode(form))
    assert (document.text.splitlines(), warnings) == (TEXT.splitlines(), ())
    rows, warnings = read("a.csv", f"text;author{line_end}“x”, y;Ann{line_end}".encode(form))
    assert ([(row.text, row.author) for row in rows], warnings) == ([("“x”, y", "Ann")], ())
    rows, warnings = read("a.jsonl", f'{{"text": "x"}}{line_end}{{"text": "🌊"}}{line_end}'.encode(form))
    assert ([row.text for row in rows], warnings) == (["x", "🌊"], ())


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_orders_of_utf_16_are_read(read: Read, mark: bytes) -> None:
    form = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    [document], _ = read("a.txt", mark + TEXT.encode(form))
    assert document.text == TEXT.strip()


@pytest.mark.parametrize("form", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read_with_a_warning(read: Read, form: str) -> None:
    [document], warnings = read("a.txt", TEXT.encode(form))
    assert document.text == TEXT.strip()
    assert warnings == (f"no byte order mark, so the encoding was assumed from the NUL bytes: a.txt as {form.upper()}",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.encode("utf-16")[:-1], "a.txt: the file begins as UTF-16, but is damaged or binary; save it as UTF-8"),
        (TEXT.encode("utf-16") + b"\0\0", "a.txt: the file begins as UTF-16, but is damaged or binary"),
        (TEXT.encode("utf-32-le"), "a.txt: the file is binary (NUL at byte 1)"),
        (b"one\0two", "a.txt: the file is binary (NUL at byte 3)"),
        ("line\nñandú".encode("latin-1"), "a.txt: not UTF-8 at byte 5 (0xf1), line 2; save it as UTF-8, or set ingest.encoding to its encoding, such as"),
        ((TEXT * 9).encode() + b"\xff", f"a.txt: not UTF-8 at byte {len((TEXT * 9).encode())} (0xff), line 19; correct this character: the text around it is UTF-8"),
        (b"\x1f\x8b\x08\0", "a.txt: the file is compressed (.gz); name it a.txt.gz"),
        (b"%PDF-1.7\n\xff\0", "a.txt: the file is a PDF; export its text as .txt"),
    ],
)  # fmt: skip
def test_what_is_not_unicode_is_refused(refusal: Refusal, content: bytes, message: str) -> None:
    assert refusal("a.txt", content).startswith(message)


def test_the_line_of_a_table_is_named(refusal: Refusal) -> None:
    assert refusal("a.csv", b"text\nx\n\xe9\n").startswith("a.csv: not UTF-8 at byte 7 (0xe9), line 3; save it as UTF-8")
    assert refusal("a.csv", "text\nx\n".encode("utf-16")[:-1]).startswith("a.csv: the file begins as UTF-16, but is damaged")


def test_the_message_suggests_an_encoding(refusal: Refusal) -> None:
    verse = "Широкое море и долгая ночь, холодный ветер и слабый огонь.\n" * 5
    assert refusal("a.txt", verse.encode("cp1251")).endswith("or set ingest.encoding to its encoding, probably windows-1251")
    assert probable_encoding(b"\xe9t\xe9") == ""  # too few bytes to know


def test_an_encoding_that_is_named_is_read_and_counted(read: Read) -> None:
    lines = ["Plain.", "À l'été – “sea”", "Œuvre"]
    mixed = f"{lines[0]}\n".encode() + f"{lines[1]}\n".encode("cp1252") + lines[2].encode()
    for name in ("windows-1252", "latin-1"):
        [document], warnings = read("a.txt", mixed, encoding=name)
        assert document.text.split("\n") == lines
        assert warnings == (f"lines that are not UTF-8 were read as {name} (ingest.encoding), 1 in all: a.txt (1). Check their accents",)
    rows, warnings = read("a.csv", "text,author\nÉté,Zoë\nSea,Ann\n".encode("cp1252"), encoding="cp1252")
    assert [(row.text, row.author) for row in rows] == [("Été", "Zoë"), ("Sea", "Ann")]
    assert "a.csv (1)" in warnings[0]
    assert read("b.txt", TEXT.encode(), encoding="koi8-r")[1] == ()


def test_a_byte_that_the_encoding_lacks_is_refused(refusal: Refusal) -> None:
    line = refusal("a.txt", b"one\ntwo \x81", encoding="windows-1252")
    assert line.startswith("a.txt: neither UTF-8 nor windows-1252 at byte 8 (0x81), line 2; correct ingest.encoding")


@pytest.mark.parametrize("name", ["utf-16", "utf-7", "rot13", "idna", "unicode_escape", "cp037", "hz", "none", "utf-8"])
def test_an_encoding_without_ascii_is_no_setting(name: str) -> None:
    with pytest.raises(ValueError, match="is not a text encoding that contains ASCII"):
        IngestSettings(encoding=name)


def test_names_of_encodings() -> None:
    assert [codec_of(name) for name in ("windows-1250", "Latin1", "ascii", "shift_jis", "GB18030")] == [
        "cp1250",
        "cp1252",
        "cp1252",
        "shift_jis",
        "gb18030",
    ]
    assert [unicode_form(head) for head in (b"", b"a", b"\0", b"a\0", b"a\0b\0", b"\0a\0b", b"a\0\0\0b\0\0\0")] == ["utf-8"] * 4 + [
        "utf-16-le",
        "utf-16-be",
        "utf-8",
    ]


def test_a_long_line_is_refused_in_each_form(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LARGEST_TEXT", 3_000_000)
    row = '{"text": "' + "word " * 700_000 + '"}'
    assert refusal("a.jsonl", b"\n" + row.encode()).startswith("a.jsonl: the line at byte 1 is longer than 3 MB; divide its text")
    assert refusal("a.jsonl", row.encode("utf-16")).startswith("a.jsonl: a line is longer than 3 MB")
    assert refusal("a.txt", row.encode()).startswith("a.txt: the text has more than 3 MB; divide it into several files")


def test_warnings_name_few_files_and_count_all() -> None:
    log = ReadingLog()
    for number in range(5):
        log.assume(f"/x/{number}.txt", "cp1252", 1000)
        log.count_missing(f"/x/{number}.jsonl")
    assert log.warnings == (
        "lines that are not UTF-8 were read as cp1252 (ingest.encoding), 5,000 in all: 0.txt (1,000), 1.txt (1,000), 2.txt (1,000) and 2 more. "
        "Check their accents",
        "values NaN were read as missing, 5 in all: 0.jsonl (1), 1.jsonl (1), 2.jsonl (1) and 2 more",
    )
    log.start("/x/0.txt")
    assert "4,000 in all" in log.warnings[0]
