"""Memorisation metrics (EVAL-3): verbatim overlap of completions with the training text."""

from collections.abc import Iterable, Iterator, Sequence

from components.measure_text.measure import Measure, largest, median, share
from components.measure_text.overlap import longest_overlaps
from components.measure_text.side import Side
from components.measure_text.training_text import encoded
from components.measure_text.words import words
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.measure_text import MeasureTextSettings

WHOLE = 8  # tokens; a text of at least this length that occurs as a whole in the training text is a copy, even below `copied_tokens`


def copies(
    training: Iterable[str], tokenizer: Tokenizer, both: tuple[Side, Side], settings: MeasureTextSettings
) -> tuple[dict[str, Measure], dict[str, Measure]]:
    """Return the copy metrics of the model and of the human references: share of copies, median and maximum of the longest match.

    A text is a copy if one of these occurs in a single training document:

    - a run of `copied_tokens` tokens;
    - a run of `copied_words` words, ignoring case and punctuation;
    - the whole text, if it has at least 8 tokens.

    Args:
        training: documents; iterated twice.
    """
    texts = [tokens for side in both for tokens in side.tokens]
    by_token = longest_overlaps(encoded(training, tokenizer), texts)
    numbers: dict[str, int] = {}
    said = [_numbered(text, numbers, new=True) for side in both for text in side.words]
    by_word = longest_overlaps((_numbered(words(text), numbers, new=False) for text in training), said)
    copied = [
        tokens >= settings.copied_tokens or of_words >= settings.copied_words or (len(text) >= WHOLE and tokens == len(text))
        for tokens, of_words, text in zip(by_token, by_word, texts, strict=True)
    ]
    count = len(both[0].texts)

    def measures(of: slice) -> dict[str, Measure]:
        return {
            "copied_share": share(copied[of]), "longest_copy_median": median(by_token[of]), "longest_copy_max": largest(by_token[of]),
        }  # fmt: skip

    return measures(slice(count)), measures(slice(count, None))


def _numbered(of: Sequence[str], numbers: dict[str, int], *, new: bool) -> Sequence[int]:
    """Return the words as integers, without punctuation. A training word that occurs in no compared text is 0, which matches nothing."""
    kept: Iterator[str] = (word for word in of if word[0].isalnum())
    return [numbers.setdefault(word, len(numbers) + 1) if new else numbers.get(word, 0) for word in kept]
