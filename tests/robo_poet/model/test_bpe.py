import json
import random
import time

import pytest

from robo_poet.model import bpe
from robo_poet.model.bpe import long_word, smaller_bpe, train_bpe
from tests.conftest import verse

TEXTS = [verse(seed) for seed in range(5)]


def test_a_tokenizer_decodes_to_the_same_text() -> None:
    core = train_bpe(TEXTS, 300)
    assert core.decode(core.encode(TEXTS[0]).ids) == TEXTS[0]
    assert core.get_vocab_size() <= 300


def test_a_larger_vocabulary_has_longer_tokens() -> None:
    counts = [len(train_bpe(TEXTS, size).encode(TEXTS[0]).ids) for size in (270, 300, 330)]
    assert counts == sorted(counts, reverse=True) and len(set(counts)) == 3


@pytest.mark.parametrize("vocabulary", [261, 300, 512, 700])
def test_a_smaller_vocabulary_is_the_beginning_of_a_larger_one(vocabulary: int) -> None:
    trained, smaller = train_bpe(TEXTS, vocabulary), smaller_bpe(train_bpe(TEXTS, 900), vocabulary)
    assert smaller.get_vocab() == trained.get_vocab() and smaller.encode(TEXTS[0]).ids == trained.encode(TEXTS[0]).ids


def test_two_merges_that_give_the_same_token_count_once() -> None:
    text = "aaaa aaa aa aaaaa aaaaaaaa " * 9 + "abab ab aba bab ababab " * 9
    for vocabulary in range(260, 290):
        smaller = smaller_bpe(train_bpe([text], 400), vocabulary)
        assert (smaller.get_vocab(), smaller.encode(text).ids) == ((one := train_bpe([text], vocabulary)).get_vocab(), one.encode(text).ids)


def test_a_word_of_a_million_characters_is_learned_in_pieces() -> None:
    """Each merge read the whole word again: 356 s."""
    word = "".join(random.Random(1).choices("acgt", k=200_000))
    started = time.monotonic()
    core = train_bpe([word, "\n" * 200_000, "." * 200_000, "1" * 200_000, "The sea is wide.\n" * 50], 600)
    assert time.monotonic() - started < 25  # without pieces, 30 s on an idle machine
    assert core.decode(core.encode(word[:5000]).ids) == word[:5000]
    assert json.loads(core.to_str())["pre_tokenizer"]["type"] == "ByteLevel"


def test_ordinary_text_gives_the_same_tokenizer_as_without_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "The sea is wide, and the night is long. " * 20 + "\n" * 900 + "-" * 900 + " 1234 " + "x" * 999
    with_pieces = train_bpe([text], 400).to_str()
    monkeypatch.setattr(bpe, "_LONG", "(?!)")
    assert train_bpe([text], 400).to_str() == with_pieces


def test_the_longest_word_is_found() -> None:
    assert long_word("a few words\n" + "x" * 1000) == 0
    assert long_word("a few words\n" + "x" * 1001) == 1001
    assert long_word("") == 0
