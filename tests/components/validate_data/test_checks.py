import math

import pytest

from components.validate_data.checks import check, check_all
from components.validate_data.corpus_statistics import Measured, TextSample, histogram, measure, type_token_ratio
from robo_poet.corpus.document import Document
from robo_poet.settings.data import ValidateSettings


def document(name: str, text: str, **more: str) -> Document:
    return Document(**({"id": name, "group": name, "text": "", "split": "train", "source": "user", "language": "en"} | more)).with_text(
        text
    )


def test_measure() -> None:
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
    assert measured.sentence_words == 11 / 4
    assert measured.duplicate_share == 1 / 3
    assert measured.language_share == 2 / 3
    assert measured.damage_share == pytest.approx(2 / 59, rel=0.05)
    assert measured.splits["test"] == {"documents": 1, "megabytes": 0.0, "groups": 1}
    assert measured.features["year"] == [None, None, 1790]
    assert sum(measured.length_histogram["counts"]) == 3


@pytest.mark.parametrize(
    ("value", "low", "high", "outside", "verdict"),
    [
        (1, 1, None, "fail", "ok"),
        (0.9, 1, None, "fail", "fail"),
        (2, None, 1, "warn", "warn"),
        (2, None, 1, "ignore", "ignored"),
        (math.nan, None, 1, "fail", "fail"),
        (math.nan, 0, None, "warn", "warn"),
    ],
)
def test_check(value: float, low: float | None, high: float | None, outside: str, verdict: str) -> None:
    assert check("x", value, low, high, outside).verdict == verdict  # type: ignore[arg-type]


def test_a_check_reads_as_a_sentence() -> None:
    assert str(check("sentence_words", 27.5, 15, 25, "warn")) == "sentence words is 27.5; required: at least 15 and at most 25"
    assert str(check("megabytes", 0.4, 1, None, "warn")) == "megabytes is 0.4; required: at least 1"


def test_every_limit_of_the_settings_is_checked() -> None:
    assert len(check_all(Measured(), ValidateSettings())) == sum(
        name.startswith("on_") and name not in ("on_anomalies", "on_skew") for name in ValidateSettings.model_fields
    )


def test_histogram() -> None:
    assert histogram([]) == {"edges": [], "counts": []}
    for lengths in ([1], [5, 5], [0, 10, 100, 1000, 10**6]):
        found = histogram(lengths)
        assert sum(found["counts"]) == len(lengths)
        assert len(found["edges"]) == len(found["counts"]) + 1


def test_type_token_ratio() -> None:
    assert type_token_ratio(["to be or not to be"]) == 4 / 6
    assert type_token_ratio(["a a", "a b"]) == 0.75


def test_samples_do_not_depend_on_the_order_and_are_of_one_megabyte() -> None:
    texts = {str(n): f"{n} " * 50_000 for n in range(80)}
    one, other, seeded = TextSample(42), TextSample(42), TextSample(43)
    for name, text in texts.items():
        one.add(name, text)
        seeded.add(name, text)
    for name, text in reversed(texts.items()):
        other.add(name, text)
    assert one.samples() == other.samples() != seeded.samples()
    assert [len(sample) for sample in one.samples()] == [1_000_000] * 5
    small = TextSample(42)
    small.add("a", "short")
    assert small.samples() == ["short"]
