"""Comparable forms of texts, and the search for names and quotations."""

import json

import pytest

from robo_poet.corpus.words import comparable, comparable_words
from robo_poet.deletion.wording import Quotes, name_phrases, unescaped

POEM = "O Rose, thou art sick!\nThe invisible worm\nthat flies in the night,\nin the howling storm"


@pytest.mark.parametrize(
    "edited",
    [
        POEM.upper(),
        POEM.replace("\n", "\r\n"),
        POEM.replace("\n", " "),
        POEM.replace(",", "").replace("!", " …"),
        "\ufeff" + POEM.replace("invisible", "in\u00advis\u200bible"),
        POEM.replace("sick", "\uff53\uff49\uff43\uff4b"),  # full-width letters
        POEM.replace("O Rose", "Ó Rosé"),
    ],
)
def test_small_edits_do_not_change_the_comparable_text(edited: str) -> None:
    assert comparable(edited) == comparable(POEM)
    assert Quotes(texts=[POEM]).match(edited)


def test_texts_without_letters_do_not_collide() -> None:
    assert comparable("…") != comparable("!!!")


@pytest.mark.parametrize(
    "text", ["said Marta Quill.", "MARTA\nQUILL", "marta_quill.txt", "Quill, Marta", "Márta Quill's", "x@marta.quill.example"]
)
def test_a_name_is_found_in_all_spellings(text: str) -> None:
    assert Quotes(["Marta Quill"]).match(text)


@pytest.mark.parametrize("text", ["Marta Quillan", "Smarta Quill", "Marta and Quill", ""])
def test_other_words_are_not_the_name(text: str) -> None:
    assert not Quotes(["Marta Quill"]).match(text)


def test_a_name_without_letters_has_no_phrase() -> None:
    assert name_phrases(" … ") == set() and not Quotes(["…"])


def test_a_name_is_found_in_json_and_html() -> None:
    name = "Zoë O'Hara 🦊"
    assert Quotes([name]).match(json.dumps({"a": f"line\n{name}\tend"}))
    assert Quotes([name]).match("<b>Zo&euml; O&#39;Hara</b>")
    assert unescaped(json.dumps("🦊")) == '"🦊"' and unescaped("a\\ud800") == "a\ufffd"


def test_a_quotation_has_eight_words() -> None:
    quotes = Quotes(texts=[POEM])
    assert quotes.match("as the poet says: 'the invisible worm that flies in the night' and so on")
    assert not quotes.match("the invisible worm that flies in the day")


def test_a_short_text_must_occur_as_a_whole() -> None:
    quotes = Quotes(texts=["Marta lives at 4 Elm Row"])
    assert quotes.match("- Marta lives at 4 Elm Row -") and not quotes.match("Marta lives at 5 Elm Row")
    assert not Quotes(texts=["Oh no"]), "so short a text occurs by chance"
    assert comparable_words("") == "  "
