from robo_poet.corpus.document import FIELDS, Document, normalise
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
