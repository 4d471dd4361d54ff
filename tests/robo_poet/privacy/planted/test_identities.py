import re
from itertools import islice

import pytest

from robo_poet.privacy.planted.identities import FORMATTED, KINDS, LOCALES, TEMPLATES, Identities, locales_of

SLOT = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("locale", [*(name for names in LOCALES.values() for name in names), "it_IT", "ru_RU"])
def test_a_sentence_has_its_values_where_it_says(locale: str) -> None:
    sentences = list(islice(Identities(locale, 7).sentences(), 200))
    assert sentences == list(islice(Identities(locale, 7).sentences(), 200))
    assert sentences != list(islice(Identities(locale, 8).sentences(), 200))
    for sentence in sentences:
        places = [place for value in sentence.planted for place in (value.start, value.end)]
        assert places == sorted(places) and places[-1] <= len(sentence.text)
        assert all(sentence.text[value.start : value.end].strip() for value in sentence.planted)
        assert "{" not in sentence.text
    kinds = {value.kind for sentence in sentences for value in sentence.planted}
    assert kinds >= set(KINDS.values()) - {"web address", "IP address", "identity number", "date of birth"}


def test_values_are_written_in_the_ways_that_hide_them() -> None:
    values = [value for sentence in islice(Identities("en_US", 1).sentences(), 2_000) for value in sentence.planted]
    shapes = {value.shape for value in values}
    assert shapes == {
        "plain", "capitals", "lower case", "two blanks", "dots", "groups", "without a scheme", "full-width digits", "invisible character", "look-alike letter",
    }  # fmt: skip
    assert sum(value.shape == "plain" for value in values) > 0.8 * len(values)


def test_only_sentences_with_a_wanted_kind_are_drawn() -> None:
    for sentence in islice(Identities("de_DE", 1).sentences(FORMATTED), 100):
        assert any(value.kind in FORMATTED for value in sentence.planted)


def test_all_templates_have_known_slots() -> None:
    slots = {slot for text in TEMPLATES.values() for slot in SLOT.findall(text)}
    assert slots == {*KINDS, "city"}


@pytest.mark.parametrize(
    ("language", "locales"), [("en", ("en_US", "en_GB")), ("it", ("it_IT",)), ("sv", ("sv_SE",)), ("unknown", ("en_US",)), ("", ("en_US",))]
)
def test_a_language_has_a_locale(language: str, locales: tuple[str, ...]) -> None:
    assert locales_of(language) == locales
