import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.model.completion import Completion, StopReason, without_partial_character
from robo_poet.model.tokenizer import Tokenizer
from serving.gateway.writing.job import without_controls
from serving.gateway.writing.samples import TokenText, count_sendable, token_texts


@given(data=st.data())
def test_pieces_join_to_the_text_for_any_tokens(words: Tokenizer, data: st.DataObject) -> None:
    tokens = data.draw(st.lists(st.integers(4, words.size - 1), max_size=30))
    text = words.decode(tokens)
    text = text[: data.draw(st.integers(0, len(text)))]  # a stop sequence may end within a token
    pieces = token_texts(words, Completion(text, tokens, [-1.0] * len(tokens), StopReason.LENGTH))
    assert "".join(piece.text for piece in pieces) == without_controls(without_partial_character(text))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf"]), max_size=30))
def test_pieces_join_to_the_text_for_any_text(words: Tokenizer, text: str) -> None:
    tokens = words.encode(text)
    pieces = token_texts(words, Completion(words.decode(tokens), tokens, [-0.25] * len(tokens), StopReason.LENGTH))
    assert "".join(piece.text for piece in pieces) == text.rstrip("\ufffd")
    assert all(0 < piece.probability <= 1 for piece in pieces)


def test_tokens_of_one_character_are_one_piece(words: Tokenizer) -> None:
    tokens = words.encode("\u6708")
    assert len(tokens) == 3
    (piece,) = token_texts(words, Completion("\u6708", tokens, [-0.5] * 3, StopReason.LENGTH))
    assert piece == TokenText("\u6708", pytest.approx(2.718281828**-1.5))


@pytest.mark.parametrize(
    ("texts", "count"),
    [([" the", " ro", "se"], 1), ([" the", " rose", "."], 1), (["half"], 0), ([], 0), (["a"] * 65, 64), (["a", "\n", "b"], 1)],
)
def test_only_complete_words_are_sendable(texts: list[str], count: int) -> None:
    assert count_sendable([TokenText(text, 0.5) for text in texts]) == count
