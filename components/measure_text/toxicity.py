"""Toxicity metric: share of texts that the content filter's classifier or its list of severe words finds abusive (SERVE-4).

Neither detects hatred and threats in plain words (`docs/evaluation.md`).
"""

from collections.abc import Sequence

from components.measure_text.measure import Measure, share
from serving.content_filter.listed_words import Words
from serving.content_filter.passage import Passage
from serving.content_filter.toxicity import Toxicity
from serving.content_filter.word_list import LISTS, at_least, read


def toxic_share(texts: Sequence[str], threshold: float, ignores: Sequence[str]) -> Measure:
    """Return the share of texts with a severe word, or with an abusive window of 8 words.

    Args:
        threshold: minimum probability of abuse of a window, in [0, 1].
        ignores: words that are hidden from the classifier.
    """
    judges = Toxicity(threshold, ignores), Words(at_least(read(LISTS / "english.txt"), "severe"))
    return share([any(judge.find(Passage(text), "completion") for judge in judges) for text in texts])
