"""What the first reading of a source drops, in which order, and that the order of the documents does not matter."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_poet.corpus.document import Document
from robo_poet.corpus.first_reading import FirstReading, read_records
from robo_poet.corpus.plan import make_plan
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings, QualitySettings

WORDS = "sea wind night rose bell stone river light bird snow harbour wall gull lamp door road field rain".split()


def text(seed: int, words: int = 60) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(words))


def changed(original: str, word: int) -> str:
    words = original.split()
    return " ".join([*words[:word], f"new{word}", *words[word + 1 :]])


def documents(*texts: str, **fields: str) -> list[Document]:
    return [Document(id=str(number), group="", text=each, **fields) for number, each in enumerate(texts)]


def reading(given: list[Document], **changes: object) -> FirstReading:
    return read_records(given, IngestSettings.model_validate(changes), 42, "here")


def test_a_document_is_dropped_for_the_first_reason() -> None:
    texts = [text(1), text(1), "Two words", "Two words", " ", text(2), changed(text(2), 30), text(1).upper()]
    result = reading(documents(*texts), quality=QualitySettings(min_words=3))
    assert dict(result.drops.counts()) == {"exact_duplicate": 1, "few_words": 2, "empty": 1, "near_duplicate": 2}
    assert result.total == 8 and len(result.records) == 2
    assert result.copies == {1: "1"}


def test_a_near_duplicate_names_the_document_that_is_kept() -> None:
    result = reading(documents(text(1), text(1) + " and one more line", text(3)))
    assert [(record.id, kept.id) for record, kept in result.pairs] == [("0", "1")]
    row = result.drops.row(0, id="0", group="0", title="", author="", source="")
    assert row.duplicate_of == "1" and row.value == pytest.approx(58 / 62)
    assert [record.id for record in result.records] == ["1", "2"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 59)), min_size=3, max_size=20), st.randoms(use_true_random=False))
def test_no_two_splits_have_near_duplicates_whatever_the_order(edits: list[tuple[int, int]], rng: random.Random) -> None:
    texts = [text(seed) for seed in range(7)] + [changed(text(seed), word) for seed, word in edits]
    rng.shuffle(texts)
    plan = make_plan(documents(*texts), IngestSettings(), 42)
    kept = {each for each, keep in zip(texts, plan.keep, strict=True) if keep}
    families = [
        next(seed for seed in range(7) if sum(a != b for a, b in zip(each.split(), text(seed).split(), strict=True)) < 3) for each in kept
    ]
    assert sorted(families) == list(range(7)), "one of each family"
    rng.shuffle(texts)
    again = make_plan(documents(*texts), IngestSettings(), 42)
    assert {each for each, keep in zip(texts, again.keep, strict=True) if keep} == kept


def test_the_temporary_file_is_gone(tmp_path: Path) -> None:
    read_records(documents(text(1), text(2)), IngestSettings(), 42, "here", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (documents("a", consent="withdrawn"), "here: 0: consent is withheld"),
        ([Document("x", "", "a"), Document("x", "", "b")], "here: x: two documents with different texts have this id"),
    ],
)
def test_bad_documents(given: list[Document], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        reading(given)
