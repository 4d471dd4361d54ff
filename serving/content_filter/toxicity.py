"""A small local classifier of abusive text: the model of `alt-profanity-check`, a bag of 15,000 words with five linear SVMs.

With scikit-learn, a text takes 2 ms; nearly all of this time is spent on argument checks. This module computes the same sums with a
dictionary in 0.2 ms. A test checks that the results are the same.
"""

import io
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from robo_poet.model_files import package_folder, verified_files
from serving.content_filter.decision import Hit, Side
from serving.content_filter.passage import Passage, fold

# Words per window. In a larger window a short insult is not detected. The test had six insults, each at twelve places in 240 neutral words.
# Windows of 24 find one insult at every place and five at none. Windows of 8 find three at every place and three at some.
WINDOW = 8
_WORD = re.compile(r"\b\w\w+\b")  # scikit-learn's token pattern

PACKAGE, WHAT = "profanity_check", "the toxicity classifier"
# File of alt-profanity-check 1.9.1 → SHA-256. They are pickles: loading a changed one would run its code.
DIGESTS = {
    "model.joblib": "aeafc04849d4d93db4721cf30a86ebf22085595294b8a07d51918e7fa98f538b",
    "vectorizer.joblib": "19c5200dc6a41f026e0558e2f164f5fe8d8f58e502b46b37e4385037fcfa4831",
}


def _load_verified() -> Iterator[Any]:
    """Yield the objects of the files, in the order of `DIGESTS`, after all digests were verified. The code of the package never runs.

    Raises:
        BadInput: the package is not installed, or a file is another one.
    """
    content = verified_files(package_folder(PACKAGE, WHAT) / "data", DIGESTS, WHAT)
    import joblib  # type: ignore[import-untyped]  # here, because the pickles load scikit-learn: 1 to 2 s and 170 MB

    yield from (joblib.load(io.BytesIO(content[name])) for name in DIGESTS)


class ToxicityJudge:
    """A judge that classifies windows of 8 words, with a stride of 4 words.

    Args:
        threshold: minimum probability of a hit.
        ignores: words that are left out.
    """

    def __init__(self, threshold: float, ignores: Iterable[str] = ()) -> None:
        self._threshold = threshold
        model, vectorizer = _load_verified()
        classifiers = [(fitted.estimator, fitted.calibrators[0]) for fitted in model.calibrated_classifiers_]
        self._calibration = [(float(calibrator.a_), float(calibrator.b_), float(svm.intercept_[0])) for svm, calibrator in classifiers]
        columns = [svm.coef_[0] for svm, _ in classifiers]
        ignored = {fold(word) for word in ignores}
        self._weights: dict[str, tuple[float, tuple[float, ...]]] = {
            word: (float(vectorizer.idf_[index]), tuple(float(column[index]) for column in columns))
            for word, index in vectorizer.vocabulary_.items()
            if word not in ignored
        }

    def find(self, passage: Passage, _side: Side) -> Hit | None:
        """Return a hit if the probability of one window reaches the threshold."""
        words = _WORD.findall(passage.folded)
        for start in range(0, max(1, len(words) - WINDOW // 2), WINDOW // 2):
            if self._score(words[start : start + WINDOW]) >= self._threshold:
                return Hit("toxicity", "toxicity")
        return None

    def probability(self, text: str) -> float:
        """Return the probability that the text, as one window, is abusive. Equals the package's `predict_prob` to 1e-9."""
        return self._score(_WORD.findall(text.lower()))

    def _score(self, words: list[str]) -> float:
        counts: dict[str, int] = {}
        for word in words:
            if word in self._weights:
                counts[word] = counts.get(word, 0) + 1
        sums = [0.0] * len(self._calibration)
        squared_norm = 0.0
        for word, count in counts.items():
            idf, weights = self._weights[word]
            value = idf * count
            squared_norm += value * value
            for number, weight in enumerate(weights):
                sums[number] += value * weight
        norm = math.sqrt(squared_norm) or 1.0
        probabilities = [
            1 / (1 + math.exp(a * (total / norm + intercept) + b)) for (a, b, intercept), total in zip(self._calibration, sums, strict=True)
        ]
        return sum(probabilities) / len(probabilities)
