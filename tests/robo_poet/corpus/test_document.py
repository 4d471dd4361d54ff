import time
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from robo_poet.corpus.document import FIELDS, Document, nfc, normalise
from robo_poet.corpus.parquet import SCHEMA
from robo_poet.digest import digest_bytes


def test_the_fields_are_the_schema() -> None:
    assert sorted(FIELDS) == sorted(SCHEMA.names)


def test_a_text_is_normalised_to_nfc_and_line_feeds() -> None:
    assert normalise("u\u0308\r\nb\rc\n") == "\u00fc\nb\nc\n"


def test_another_text_gets_its_own_digest_and_size() -> None:
    document = Document(id="d", group="g", text="", title="T").with_text("u\u0308\r\n")
    assert (document.id, document.title, document.text, document.size) == ("d", "T", "ü\n", 3)
    assert document.sha256 == digest_bytes("ü\n".encode())


MARKS = "\u0300\u0316\u0344\u0f71\u0f73\u3099\u05b0\u0903!"


@given(st.text("aeo \u0308", max_size=3), st.integers(95, 120), st.randoms(use_true_random=False))
def test_long_runs_of_combining_marks_have_the_normal_form_of_unicode(before, length, random) -> None:
    text = before + "".join(random.choices(MARKS, k=length)) + "u\u0308"
    assert nfc(text) == unicodedata.normalize("NFC", text)


def test_a_hundred_thousand_combining_marks_take_no_time() -> None:
    """Python takes 14 s for them, and 24 minutes for a million."""
    started = time.monotonic()
    assert normalise("a" + "\u0301\u0316" * 50_000).startswith("\u00e1\u0316")
    assert time.monotonic() - started < 30
