"""Sentiment metric, by VADER's lexicon and rules (Hutto & Gilbert 2014)."""

from collections.abc import Sequence

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from components.measure_text.measure import Measure, mean


def mean_sentiment(texts: Sequence[str]) -> Measure:
    """Return the mean compound score, in [−1, 1]."""
    judge = SentimentIntensityAnalyzer()
    return mean([float(judge.polarity_scores(text)["compound"]) for text in texts])
