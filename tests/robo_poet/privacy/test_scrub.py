from collections.abc import Iterator
from dataclasses import replace

import pytest

from robo_poet.corpus.document import Document, language_code
from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.privacy.findings import Finding
from robo_poet.privacy.scrub import Scrubber
from robo_poet.settings.data import ScrubSettings

LETTER = "Dear Anna Kowalski,\nwrite to anna@example.org or call (212) 867-5309.\nAnna never came. Yours, Peter Brown\n"


def document(text: str, source: str = "user", name: str = "d") -> Document:
    return Document(id=name, group="g", text="", split="train", title="T", author="A", source=source).with_text(text)


def scrub(*documents: Document, **given: object) -> list[tuple[Document, list[Finding]]]:
    return list(Scrubber(ScrubSettings.model_validate(given)).scrub(documents))


def test_the_policy_full_replaces_names_and_patterns() -> None:
    [(after, found)] = scrub(document(LETTER))
    assert after.text == ("Dear <PERSON>,\nwrite to <EMAIL_ADDRESS> or call <PHONE_NUMBER>.\n<PERSON> never came. Yours, <PERSON>\n")
    assert after.sha256 == digest_bytes(after.text.encode())
    assert (after.id, after.group, after.split, after.author) == ("d", "g", "train", "A")
    assert [LETTER[f.start : f.end] for f in found] == ["Anna Kowalski", "anna@example.org", "(212) 867-5309", "Anna", "Peter Brown"]
    assert {f.entity for f in found} == {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER"}


def test_each_source_has_its_policy() -> None:
    given = {"policies": {"mine": "none", "play": "patterns"}, "default_policy": "full"}
    none, patterns, full = scrub(*(document(LETTER, s, s) for s in ("mine", "play", "unheard of")), **given)
    assert none == (document(LETTER, "mine", "mine"), [])
    assert "Anna Kowalski" in patterns[0].text
    assert "anna@" not in patterns[0].text
    assert "Anna" not in full[0].text


@pytest.mark.parametrize("model", ["no_such_model", "./", "presidio_analyzer"])
def test_a_missing_spacy_model_is_refused(model: str) -> None:
    with pytest.raises(BadInput, match="is not installed"):
        scrub(document(LETTER), name_engine="spacy", spacy_model=model)


def test_the_name_model_is_loaded_only_if_a_policy_needs_it() -> None:
    assert scrub(document(LETTER, "iambic"), name_engine="spacy", spacy_model="no_such_model")


def test_findings_of_long_documents_are_available_before_the_last_is_read() -> None:
    """So the step reports its progress, also if a few documents hold most of the text."""
    read: list[str] = []

    def documents() -> Iterator[Document]:
        for number in range(6):
            read.append(f"{number}")
            yield document("write to anna@example.org\n" + "a quiet line\n" * 10_000, name=f"{number}")

    found = Scrubber(ScrubSettings(default_policy="patterns")).find(documents())
    assert [finding.entity for finding in next(found)] == ["EMAIL_ADDRESS"] and len(read) == 2
    assert len(list(found)) == 5 and len(read) == 6


def test_the_digest_is_of_the_scrubbed_text() -> None:
    stale = replace(document("Nothing to hide.\n"), sha256="of what was there before")
    [(after, found)] = scrub(stale)
    assert found == []
    assert after.sha256 == digest_bytes(after.text.encode())


@pytest.mark.parametrize(
    ("said", "code"),
    [("en", "en"), ("EN-gb", "en"), ("pt_BR", "pt"), ("", "unknown"), ("Anna Kowalski", "unknown"), ("english", "unknown")],
)
def test_language_code(said: str, code: str) -> None:
    assert language_code(said) == code


def test_documents_in_a_language_without_a_name_model_are_counted() -> None:
    languages = ["en", "en-GB", "fr", "it", "it", ""]
    documents = [replace(document(LETTER), language=language) for language in languages]
    onnx, spacy = Scrubber(ScrubSettings()), Scrubber(ScrubSettings(name_engine="spacy"))
    assert onnx.uncovered(onnx.languages(documents)) == {"it": 2, "unknown": 1}
    assert spacy.uncovered(spacy.languages(documents)) == {"fr": 1, "it": 2, "unknown": 1}
    plays = [replace(one, source="iambic") for one in documents]
    broken = Scrubber(ScrubSettings(name_engine="spacy", spacy_model="no_such_model"))
    assert not broken.uncovered(broken.languages(plays))
