"""Share of texts that the content filter's classifier finds abusive (SERVE-4): what readers would not be shown."""

from collections.abc import Sequence

from components.measure_text.measure import Measure, share
from serving.content_filter.passage import Passage
from serving.content_filter.toxicity import Toxicity


def toxic_share(texts: Sequence[str], threshold: float, ignores: Sequence[str]) -> Measure:
    """Share with a window of 8 words that is abusive with a probability of at least `threshold`.

    Args:
        ignores: words that the classifier does not see.
    """
    judge = Toxicity(threshold, ignores)
    return share([judge.find(Passage(text), "completion") is not None for text in texts])
