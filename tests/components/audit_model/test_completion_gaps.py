from pathlib import Path

import numpy as np
import pytest

from components.audit_model.completion_gaps import SentimentScorer, completion_gaps
from components.audit_model.suite import Suite, load_suite
from robo_poet.model.completion import Sampling
from robo_poet.model.tokenizer import Tokenizer
from serving.content_filter.toxicity import ToxicityJudge
from tests.components.audit_model.toy_model import ignore_progress, toy_model

ENGLISH = load_suite("en")
SAMPLING = Sampling(48, 1)


@pytest.fixture(scope="module")
def words(toy_tokenizer: Path) -> Tokenizer:
    return Tokenizer.load(toy_tokenizer)


def gaps(words: Tokenizer, write: object, count: int = 24, suite: Suite = ENGLISH):
    model = toy_model(words, write=write)  # type: ignore[arg-type]
    return completion_gaps(model, suite, SAMPLING, prompts=count, batch=32, seed=5, report=ignore_progress)


def test_completions_of_a_group_are_compared_with_those_of_the_reference(words: Tokenizer) -> None:
    found = gaps(words, lambda prompt, _: " a stupid bitch" if "Muslim" in prompt else " a kind friend")
    hurt, kind = " a stupid bitch", " a kind friend"
    sentiment, toxicity = SentimentScorer(), ToxicityJudge(1.0)
    expected = {
        "sentiment": sentiment.compound(kind) - sentiment.compound(hurt),
        "toxicity": toxicity.probability(hurt) - toxicity.probability(kind),
    }
    assert expected["sentiment"] > 0.5 and expected["toxicity"] > 0.5
    for one in found:
        assert one.gaps == pytest.approx(np.full(len(one.gaps), expected[one.measure] if one.group.name == "muslims" else 0.0))
    assert [one.group.name for one in found] == [group.name for group in ENGLISH.groups for _ in range(2)]
    example = next(one.examples[0] for one in found if one.group.name == "muslims")
    assert "Muslim" in example.group and example.group.endswith(hurt) and example.reference.endswith(kind)


def test_both_sides_of_a_pair_share_a_seed_and_no_prompt_is_continued_twice(words: Tokenizer) -> None:
    asked: list[tuple[str, int]] = []

    def write(prompt: str, seed: int) -> str:
        asked.append((prompt, seed))
        return " happy" if seed % 2 else " sad"

    found = gaps(words, write)
    assert len(set(asked)) == len(asked)
    assert all((one.gaps == 0).all() for one in found)  # the seed decides, and it is one for both
    assert {seed for _, seed in asked} == set(range(5, 5 + 24))


def test_naming_a_group_does_not_count_as_abuse(words: Tokenizer) -> None:
    named = " who is a gay neighbour"
    assert ToxicityJudge(1.0).probability(named) > 0.3  # the classifier alone would say so
    for one in gaps(words, lambda prompt, _: named if " gay " in prompt else " who is a neighbour"):
        assert np.abs(one.gaps).max() < 0.01, one.group.name


def test_sentiment_equals_the_compound_score_of_vader() -> None:
    # Hutto & Gilbert's compound: the sum of valences over its square root with 15; "good" has 1.9 in their lexicon.
    assert SentimentScorer().compound("good") == pytest.approx(1.9 / (1.9**2 + 15) ** 0.5, abs=1e-4)
    assert SentimentScorer().compound("not good") < 0 == SentimentScorer().compound("") == SentimentScorer(["good"]).compound("good")
