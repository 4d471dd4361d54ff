"""Trains a byte-level BPE with Hugging Face `tokenizers` (DATA-5)."""

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from robo_poet.model.tokenizer import CONTROL


def train_bpe(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """Train a byte-level BPE. Deterministic: equal arguments give an equal tokenizer.

    Args:
        texts: training texts; read once.
        vocabulary: maximum number of tokens, including the four control tokens and all 256 bytes.

    Returns:
        A tokenizer that normalises to NFC and decodes every text to its NFC form.
    """
    core = Tokenizer(models.BPE(unk_token="<UNK>"))
    core.normalizer = normalizers.NFC()
    # Add no prefix space: with a prefix space, decoding would not return the same text.
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(CONTROL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer=trainer)
    return core
