from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.validate_data.corpus_statistics import MAX_RIGHTS_ROWS, TextSample, histogram, measure, type_token_ratio
from robo_poet.corpus.document import Document


def document(name: str, text: str, **more: str) -> Document:
    return Document(**({"id": name, "group": name, "text": "", "split": "train", "source": "user", "language": "en"} | more)).with_text(
        text
    )


def test_the_statistics_of_a_small_corpus() -> None:
    measured = measure(
        [
            document("a", "One two three. Four five!"),
            document("b", "one  TWO three: four, five?", split="test", language="fr"),
            document("c", "l'été\ufffd\x07", date="1790-01-08", language="en-GB"),
        ],
        ["en"],
        42,
    )
    assert measured.documents == 3
    assert measured.megabytes == pytest.approx(63e-6, abs=3e-6)
    assert measured.sentence_tokens == (7 + 8 + 3) / 4  # 11 words, 5 punctuation marks, 2 damaged characters
    assert measured.duplicate_share == 1 / 3
    assert measured.language_share == 2 / 3
    assert measured.damage_share == pytest.approx(2 / 59, rel=0.05)
    assert measured.splits["test"] == {"documents": 1, "megabytes": 0.0, "groups": 1}
    assert sum(measured.length_histogram["counts"]) == 3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.sampled_from(["", "yes, by letter"])), min_size=1, max_size=80))
def test_the_rights_count_each_document_once_and_list_those_without_a_licence_first(kinds: list[tuple[str, int, str]]) -> None:
    documents = [
        Document(str(n), str(n), "A line.", split="train", source=source, licence=f"L{licence}" if licence else " ", consent=consent)
        for n, (source, licence, consent) in enumerate(kinds)
    ]
    rights = measure(documents, ["en"], 42).rights
    assert len(rights) <= MAX_RIGHTS_ROWS + 1
    assert sum(row["documents"] for row in rights) == len(kinds)
    assert sum(row["consent"] for row in rights) == sum(bool(consent) for _, _, consent in kinds)
    without_licence = Counter(source for source, licence, _ in kinds if not licence)
    assert {row["source"]: row["documents"] for row in rights[: len(without_licence)]} == without_licence
    assert all(row["licence"] != "" for row in rights[len(without_licence) :])


def test_histogram() -> None:
    assert histogram([]) == {"edges": [], "counts": []}
    for lengths in ([1], [5, 5], [0, 10, 100, 1000, 10**6]):
        bins = histogram(lengths)
        assert sum(bins["counts"]) == len(lengths)
        assert len(bins["edges"]) == len(bins["counts"]) + 1


def test_type_token_ratio() -> None:
    assert type_token_ratio(["to be or not to be"]) == 4 / 6
    assert type_token_ratio(["a a", "a b"]) == 0.75


def test_the_text_samples_do_not_depend_on_the_order_of_the_texts_but_on_the_seed() -> None:
    texts = {str(number): f"{number} " * 50_000 for number in range(80)}
    forward, backward, reseeded = TextSample(42), TextSample(42), TextSample(43)
    for name, text in texts.items():
        forward.add(name, text)
        reseeded.add(name, text)
    for name, text in reversed(texts.items()):
        backward.add(name, text)
    assert forward.samples() == backward.samples() != reseeded.samples()
    assert [len(sample) for sample in forward.samples()] == [1_000_000] * 5


def test_a_small_corpus_is_one_text_sample() -> None:
    sample = TextSample(42)
    sample.add("a", "short")
    assert sample.samples() == ["short"]


def test_a_million_dots_take_no_time() -> None:
    documents = [Document(id="a", group="a", text="." * 1_000_000 + "x. End?! \u201cYes.\u201d No", split="train")]
    assert measure(documents, ["en"], 1).sentence_tokens == (1_000_000 + 1 + 1 + 1 + 2 + 1 + 1 + 1 + 1 + 1) / 3
