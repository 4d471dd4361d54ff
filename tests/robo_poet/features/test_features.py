import unicodedata
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.validate_data.drift import bin_text
from robo_poet.corpus.document import Document
from robo_poet.features import features
from robo_poet.features.distributions import Distributions
from robo_poet.features.features import CLASSES, FEATURES, author_bucket, character_classes, measure_document, pieces


def values(text: str, **more: str) -> dict[str, object]:
    return dict(measure_document(Document("d", "d", text, **more)).values)


def test_the_features_of_a_small_document() -> None:
    got = values("One, 2 three.\n\nFour\u0007 Ã©!\n", date="1850-01-02", author="Ada", licence=" CC0 ", language="en")
    assert (got["characters"], got["words"], got["tokens"], got["sentences"]) == (25, 5, 10, 2)
    assert got["sentence_tokens"] == 5
    assert (got["damaged_characters"], got["misread_characters"], got["year"]) == (1, 1, 1850)
    assert got["letter_share"] == 13 / 25 and got["digit_share"] == 1 / 25 and got["punctuation_share"] == 3 / 25
    assert got["space_share"] == 6 / 25 and got["other_share"] == 2 / 25
    assert (got["line_characters"], got["empty_line_share"]) == ((25 - 3) / 3, 1 / 3)
    assert (got["licence"], got["consent"], got["language"], got["type_token_ratio"]) == ("stated", None, "en", None)
    assert "Ada" not in str(got)


def test_every_feature_is_measured_and_has_a_bin() -> None:
    got = values("word " * 200, date="1999", author="x", licence="l", consent="c", genre="g", source="s", language="en", split="train")
    assert got.keys() | {"duplicate"} == FEATURES.keys()
    assert got["type_token_ratio"] == 0.01
    distributions = Distributions(examples=1)
    distributions.add(["d"], {name: [value] for name, value in (got | {"duplicate": "no"}).items()})
    assert all(sum(counts.values()) == 1 for counts in distributions.bins().values())
    for name, counts in distributions.bins().items():
        assert distributions.examples(name, next(iter(counts))) == ["d"] and bin_text(FEATURES[name], next(iter(counts)))


@given(st.text(max_size=60))
def test_the_classes_of_characters_are_those_of_unicode(text: str) -> None:
    def class_of(character: str) -> int:
        return 3 if character.isspace() else {"L": 0, "M": 0, "N": 1, "P": 2, "Z": 3}.get(unicodedata.category(character)[0], 4)

    assert character_classes(text) == [sum(class_of(c) == number for c in text) for number in range(len(CLASSES))]


@given(st.text(alphabet="ab .!?'’\n1", max_size=120), st.integers(1, 9))
def test_a_text_in_pieces_has_the_same_features(text: str, size: int) -> None:
    whole = measure_document(Document("d", "d", text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "pieces", lambda text: pieces(text, size))
        assert measure_document(Document("d", "d", text)) == whole
    assert "".join(pieces(text, size)) == text


def test_a_line_of_50_million_characters_without_a_space_is_one_piece() -> None:
    assert [len(piece) for piece in pieces("x" * 3_000_000)] == [3_000_000]
    assert [len(piece) for piece in pieces("x " * 1_250_000)] == [1_000_001, 1_000_000, 499_999]


def test_an_author_is_a_bucket_that_many_authors_share() -> None:
    assert author_bucket("") is author_bucket("  ") is None
    assert author_bucket("Ada  Lovelace") == author_bucket("ada lovelace") != "ada lovelace"
    assert len({author_bucket(sha256(bytes([n, m])).hexdigest()) for n in range(40) for m in range(40)}) == 64


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e9)), min_size=1, max_size=50))
def test_a_value_is_in_the_bin_whose_lower_edge_is_the_last_below_it(numbers: list[float | None]) -> None:
    feature = FEATURES["sentence_tokens"]
    for value, number in zip(numbers, feature.bins(numbers), strict=True):
        assert (value is None) == (number is None)
        if value is not None and number is not None:
            assert feature.edges[number] <= value and (number + 1 == len(feature.edges) or value < feature.edges[number + 1])


@pytest.mark.parametrize(
    ("name", "key", "text"),
    [
        ("characters", "0", "0 characters"),
        ("characters", "23", "23 to 31 characters"),
        ("words", "67108864", "67,108,864 words or more"),
        ("letter_share", "0.78", "78 to 80 % of characters"),
        ("year", "1850", "1850 to 1874"),
        ("language", "en", "en"),
        ("year", "(none)", "no value"),
    ],
)
def test_a_bin_in_words(name: str, key: str, text: str) -> None:
    assert bin_text(FEATURES[name], key) == text
