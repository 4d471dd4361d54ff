"""Corpus BLEU of completions against the human references (EVAL-2).

There is one human reference per prompt. So the human figure, with which the model's is compared, uses the reference of another prompt of
the same work. If every work has only one prompt (short poems), it uses prompts of other works.
"""

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics.bleu import BLEU

from components.measure_text.metric import Numbers, RowMetric, expand_to_rows
from components.measure_text.texts import other_texts_of_work

ORDERS = 4
SMOOTHING = "floor", 0.1  # NLTK's smoothing method 1 (Chen & Cherry 2014)


def bleu(hypotheses: Sequence[str], references: Sequence[str]) -> RowMetric:
    """Return corpus BLEU in [0, 1]: 1- to 4-grams with brevity penalty (Papineni et al. 2002).

    The n-gram counts of a resample are the sums of the counts of its rows.
    """
    scorer = BLEU(smooth_method=SMOOTHING[0], smooth_value=SMOOTHING[1], effective_order=True)
    stats = [scorer.sentence_score(hypothesis, [reference]) for hypothesis, reference in zip(hypotheses, references, strict=True)]
    counts = np.asarray([[*stat.counts, *stat.totals, stat.sys_len, stat.ref_len] for stat in stats], np.float64).reshape(
        -1, 2 * ORDERS + 2
    )

    def statistic(weights: Numbers) -> Numbers:
        return np.asarray([_bleu(sums) for sums in weights @ counts])

    return RowMetric(statistic)


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Return the corpus BLEU of all rows as a number in [0, 1]; NaN if the references are empty."""
    return float(bleu(hypotheses, references).statistic(np.ones((1, len(hypotheses))))[0])


def _bleu(sums: Numbers) -> float:
    counts = [round(number) for number in sums.tolist()]
    if not counts[-1]:
        return float("nan")  # the references are empty
    score = BLEU.compute_bleu(counts[:ORDERS], counts[ORDERS : 2 * ORDERS], *counts[-2:], SMOOTHING[0], SMOOTHING[1]).score
    return float(score) / 100


def human_bleu(references: Sequence[str], works: Sequence[str], seed: int) -> RowMetric:
    """Return the BLEU of human text: each reference against the reference of another prompt of its work.

    Works with a single prompt have zero weight, unless every work has a single prompt.
    """
    others = other_texts_of_work(references, works, seed)
    if not any(other is not None for other in others):
        others = other_texts_of_work(references, [""] * len(works), seed)
    paired = [row for row, other in enumerate(others) if other is not None]
    return expand_to_rows(bleu([other for other in others if other is not None], [references[row] for row in paired]), paired, len(others))
