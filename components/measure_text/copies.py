"""Text written from memory (EVAL-3): how much of the training text stands in what was written, word for word."""

from collections.abc import Iterable, Iterator, Sequence

from components.measure_text.measure import Measure, largest, median, share
from components.measure_text.overlap import longest_overlaps
from components.measure_text.side import Side
from components.measure_text.training_text import encoded
from components.measure_text.words import words
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.measure_text import MeasureTextSettings

WHOLE = 8  # tokens from which a text that stands in the training text as a whole is a copy, however short it was asked to be


def copies(
    training: Iterable[str], tokenizer: Tokenizer, both: tuple[Side, Side], settings: MeasureTextSettings
) -> tuple[dict[str, Measure], dict[str, Measure]]:
    """Metrics of the model and of people.

    A text is a copy if `copied_tokens` in a row stand in a training document, or `copied_words` whatever the case and the marks
    between them, or the whole of it.

    Args:
        training: documents; read twice.
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
    """The words without the marks; one that stands in no text of ours is 0, and 0 stands in none."""
    kept: Iterator[str] = (word for word in of if word[0].isalnum())
    return [numbers.setdefault(word, len(numbers) + 1) if new else numbers.get(word, 0) for word in kept]
