"""Sentiment of English text by VADER (Hutto & Gilbert 2014): a lexicon and rules, deterministic and offline."""

from collections.abc import Iterable

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer


class Sentiment:
    """A VADER sentiment scorer.

    Args:
        ignores: words to remove from the lexicon.
    """

    def __init__(self, ignores: Iterable[str] = ()) -> None:
        self._analyzer = SentimentIntensityAnalyzer()
        for word in ignores:
            self._analyzer.lexicon.pop(word, None)

    def compound(self, text: str) -> float:
        """Return the compound score, from −1 (most negative) to 1; 0 is neutral or empty."""
        return float(self._analyzer.polarity_scores(text)["compound"])
