from robo_poet.model.bpe import train_bpe
from tests.conftest import verse

TEXTS = [verse(seed) for seed in range(5)]


def test_a_tokenizer_decodes_to_the_same_text() -> None:
    core = train_bpe(TEXTS, 300)
    assert core.decode(core.encode(TEXTS[0]).ids) == TEXTS[0]
    assert core.get_vocab_size() <= 300


def test_a_larger_vocabulary_has_longer_tokens() -> None:
    counts = [len(train_bpe(TEXTS, size).encode(TEXTS[0]).ids) for size in (270, 300, 330)]
    assert counts == sorted(counts, reverse=True) and len(set(counts)) == 3
