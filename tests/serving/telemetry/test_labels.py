from hypothesis import given
from hypothesis import strategies as st

from serving.telemetry.labels import OTHER, WORD_PATTERN, FixedLabels, VersionLabels, WordLabels


@given(st.text())
def test_an_unknown_value_becomes_other(value: str) -> None:
    assert FixedLabels("a", "b")(value) == (value if value in ("a", "b") else OTHER)


@given(st.lists(st.text() | st.from_regex(WORD_PATTERN, fullmatch=True), max_size=60))
def test_words_are_limited_in_form_and_number(values: list[str]) -> None:
    words = WordLabels(5)
    labels = [words(value) for value in values]
    assert len(set(labels)) <= 6
    for value, label in zip(values, labels, strict=True):
        assert label in (value, OTHER)
        assert WORD_PATTERN.fullmatch(label)


@given(st.lists(st.integers(0, 30), max_size=200))
def test_the_most_recently_used_versions_are_kept(values: list[int]) -> None:
    forgotten: list[str] = []
    versions = VersionLabels(4, forgotten.append)
    alive: set[str] = set()
    for k, value in enumerate(values):
        before = len(forgotten)
        alive.add(versions(value))
        alive -= set(forgotten[before:])
        assert versions(value) == str(value)
        assert len(alive) <= 4
        recent = list(dict.fromkeys(reversed(values[: k + 1])))[:4]
        assert alive == {str(one) for one in recent}
