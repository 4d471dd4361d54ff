from pathlib import Path

import pytest

from robo_poet.model.tokenizer import Tokenizer
from serving.content_filter.decision import Side
from serving.content_filter.passage import Passage
from serving.content_filter.restricted_texts import RestrictedTextJudge, bundled_texts

NEVER = RestrictedTextJudge(["rose", "wild  Thyme", "C++", "o'er"])


def hit(text: str, before: str = "", side: Side = "completion") -> bool:
    return NEVER.find(Passage(text, before), side) is not None


@pytest.mark.parametrize("text", ["a rose", "ROSES", "rósë", "wild thyme", "wild\n  thyme", "“rose”", "in c++", "fly o'er", "гоѕе"])
def test_a_restricted_text_at_the_start_of_a_word_is_found(text: str) -> None:
    assert hit(text)


@pytest.mark.parametrize("text", ["prose", "wildthyme", "wild time", "c+", "", " ", "oer"])
def test_a_restricted_text_inside_a_word_is_not_found(text: str) -> None:
    assert not hit(text)


@pytest.mark.parametrize(
    ("before", "text", "found"),
    [
        ("a ro", "se", True), ("where the wild", " thyme blows", True), ("a rose", " and", False), ("a p", "rose", False), ("a rose", "", False),
        ("wild", "", False), (" ".join(["night"] * 60) + " ro", "se", True), ("x" * 300, "rose", True),
    ],
)  # fmt: skip
def test_a_match_may_start_in_the_prompt_and_ends_in_the_completion(before: str, text: str, found: bool) -> None:
    assert hit(text, before) == found


def test_prompts_are_not_checked_and_an_empty_list_restricts_nothing() -> None:
    assert not hit("rose", side="prompt")
    assert RestrictedTextJudge([]).find(Passage("rose"), "completion") is None and RestrictedTextJudge([]).banned == ()


def test_tokens_with_a_restricted_text_are_banned_in_upper_and_lower_case(toy_tokenizer: Path) -> None:
    words = Tokenizer.load(toy_tokenizer)
    single = next(token for number in range(words.size) if (token := words.decode([number]).strip()).isalpha() and len(token) >= 4)
    banned = words.tokens_containing(RestrictedTextJudge([single.upper()]).banned)
    assert banned and set(words.tokens_containing([single])) <= set(banned)


def test_each_bundled_text_is_found() -> None:
    texts = bundled_texts()
    assert texts and len(set(texts)) == len(texts)
    assert all(RestrictedTextJudge(texts).find(Passage(f"the {text}"), "completion") for text in texts)
