"""Trains a byte-level BPE with Hugging Face `tokenizers` (DATA-5)."""

import json
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from robo_poet.model.tokenizer import CONTROL

LONGEST_WORD = 1_000  # characters
_LONG = rf"\p{{L}}{{{LONGEST_WORD}}}|\p{{N}}{{{LONGEST_WORD}}}|[^\s\p{{L}}\p{{N}}]{{{LONGEST_WORD}}}|\s{{{LONGEST_WORD}}}"


def train_bpe(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """Train a byte-level BPE. Deterministic: equal arguments give an equal tokenizer.

    Words, numbers, and runs of signs or spaces are learned in pieces of at most 1,000 characters: each merge reads a whole piece again, so
    one word of a million letters took 6 minutes. The tokenizer itself has no such limit.

    Args:
        texts: training texts; read once.
        vocabulary: maximum number of tokens, including the four control tokens and all 256 bytes.

    Returns:
        A tokenizer that normalises to NFC and decodes every text to its NFC form.
    """
    core = Tokenizer(models.BPE(unk_token="<UNK>"))
    core.normalizer = normalizers.NFC()
    # Add no prefix space: with a prefix space, decoding would not return the same text.
    pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(CONTROL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(_LONG), "isolated"), pre_tokenizer])
    core.train_from_iterator(texts, trainer=trainer)
    core.pre_tokenizer = pre_tokenizer
    return core


def smaller_bpe(core: Tokenizer, vocabulary: int) -> Tokenizer:
    """Return the BPE that `train_bpe` gives for the same texts and a smaller vocabulary, without training again.

    A larger vocabulary only continues the list of merges.
    """
    content = json.loads(core.to_str())
    merges = [tuple(merge) for merge in content["model"]["merges"]]
    merged = {left + right for left, right in merges}
    tokens = {token: number for token, number in content["model"]["vocab"].items() if token not in merged}
    kept = []
    for left, right in merges:
        if len(tokens) >= vocabulary:
            break
        kept.append([left, right])  # two merges may give the same token
        tokens.setdefault(left + right, content["model"]["vocab"][left + right])
    content["model"] |= {"vocab": tokens, "merges": kept}
    return Tokenizer.from_str(json.dumps(content))


def long_word(text: str) -> int:
    """Return the length in characters of the longest word, if it is longer than `LONGEST_WORD`; otherwise 0."""
    length = max(map(len, text.split()), default=0)
    return length if length > LONGEST_WORD else 0
