from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Core

from components.train_tokenizer.bpe import train_bpe
from robo_poet.model.tokenizer import Tokenizer
from serving.edge.stream import stream


def words() -> Tokenizer:
    core: Core = train_bpe(["the rose sleeps. ", "thé ròse 😀 ", "the rose"], 300)
    return Tokenizer(core, 300)


WORDS = words()


@given(st.lists(st.integers(4, WORDS.size - 1), max_size=60))
def test_the_pieces_are_the_text_whatever_the_tokens(tokens: list[int]) -> None:
    assert "".join(stream(WORDS, tokens)) == WORDS.decode(tokens)


@given(st.text(max_size=40))
def test_no_piece_holds_half_a_character(text: str) -> None:
    tokens = WORDS.encode(text)
    whole = WORDS.decode(tokens)
    assert all("\N{REPLACEMENT CHARACTER}" not in piece or "\N{REPLACEMENT CHARACTER}" in whole for piece in stream(WORDS, tokens))


@given(st.text(alphabet="ab.", max_size=30), st.lists(st.text(alphabet="ab.", min_size=1, max_size=4), max_size=3))
def test_it_ends_behind_the_first_stop_text_and_shows_nothing_of_what_follows(text: str, stops: list[str]) -> None:
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    assert "".join(stream(WORDS, WORDS.encode(text), stops)) == text[: min(ends, default=len(text))]


def test_what_may_become_a_stop_text_waits() -> None:
    tokens = [number for letter in "xend" for number in WORDS.encode(letter)]
    pieces = stream(WORDS, tokens, ["endless"])
    assert next(pieces) == "x"  # and "end" is not shown before it is known to be no "endless"
    assert list(pieces) == ["end"]


@pytest.mark.parametrize(("least", "expected"), [(0, "a."), (2, "a.b."), (3, "a.b."), (9, "a.b.c")])
def test_a_stop_text_within_the_shortest_length_is_text(least: int, expected: str) -> None:
    tokens = [number for letter in "a.b.c" for number in WORDS.encode(letter)]
    assert len(tokens) == 5
    assert "".join(stream(WORDS, tokens, ["."], least)) == expected


def test_of_a_real_tokenizer_too(toy_tokenizer: Path) -> None:
    toy = Tokenizer.load(toy_tokenizer)
    text = "the night burns. naïve 😀\n"
    assert "".join(stream(toy, toy.encode(text))) == text
