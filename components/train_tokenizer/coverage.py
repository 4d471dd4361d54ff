"""How well a tokenizer fits a text it was not trained on (DATA-2, DATA-5)."""

from collections.abc import Iterable
from dataclasses import dataclass

from robo_poet.model.tokenizer import Tokenizer


@dataclass(frozen=True)
class Fit:
    """Attributes: coverage, the share of words that are one or two tokens; bytes_per_token."""

    coverage: float
    bytes_per_token: float


def measure_fit(tokenizer: Tokenizer, texts: Iterable[str]) -> Fit:
    """Measure on `texts`; a word is what stands between white space, encoded with the space before it as in running text."""
    words = covered = size = tokens = 0
    for text in texts:
        size += len(text.encode("utf-8"))
        tokens += len(tokenizer.encode(text))
        lengths = [len(ids) for ids in tokenizer.encode_all([f" {word}" for word in text.split()])]
        words += len(lengths)
        covered += sum(length <= 2 for length in lengths)
    return Fit(covered / words if words else 0.0, size / tokens if tokens else 0.0)
