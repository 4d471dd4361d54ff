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
    training: Iterable[str], tokenizer: Tokenizer, sides: tuple[Side, Side], settings: MeasureTextSettings
) -> tuple[dict[str, Measure], dict[str, Measure]]:
    """Return the copy metrics of the model and of the human references: share of copies, median and maximum of the longest match.

    A text is a copy if one of these occurs in a single training document:

    - a run of `copied_tokens` tokens;
    - a run of `copied_words` words, ignoring case and punctuation;
    - the whole text, if it has at least 8 tokens.

    Args:
        training: documents; iterated twice.
    """
    token_lists = [tokens for side in sides for tokens in side.tokens]
    matches = longest_overlaps(encoded(training, tokenizer), token_lists)
    word_ids: dict[str, int] = {}
    word_lists = [_numbered(text, word_ids, new=True) for side in sides for text in side.words]
    word_matches = longest_overlaps((_numbered(words(text), word_ids, new=False) for text in training), word_lists)
    copied = [
        token_match >= settings.copied_tokens or word_match >= settings.copied_words or (len(text) >= WHOLE and token_match == len(text))
        for token_match, word_match, text in zip(matches, word_matches, token_lists, strict=True)
    ]
    count = len(sides[0].texts)

    def measures(rows: slice) -> dict[str, Measure]:
        return {
            "copied_share": share(copied[rows]), "longest_copy_median": median(matches[rows]), "longest_copy_max": largest(matches[rows]),
        }  # fmt: skip

    return measures(slice(count)), measures(slice(count, None))


def _numbered(text_words: Sequence[str], word_ids: dict[str, int], *, new: bool) -> Sequence[int]:
    """Return the words as integers, without punctuation. A training word that occurs in no compared text is 0, which matches nothing."""
    unpunctuated: Iterator[str] = (word for word in text_words if word[0].isalnum())
    return [word_ids.setdefault(word, len(word_ids) + 1) if new else word_ids.get(word, 0) for word in unpunctuated]
