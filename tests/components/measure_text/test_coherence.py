import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cosine, jensenshannon

from components.measure_text.coherence import (
    Semantics,
    Topics,
    consistencies,
    cosines,
    jensen_shannon,
    semantic_metrics,
    topic_metrics,
    unrelated_rows,
)
from components.measure_text.metric import value
from components.measure_text.texts import sides
from components.measure_text.training_text import passages
from robo_poet.judges.units import Units

SHARES = (
    st.lists(st.just(0.0) | st.floats(1e-300, 1), min_size=4, max_size=4)
    .filter(lambda shares: sum(shares) > 0.01)
    .map(lambda s: np.asarray(s) / sum(s))
)


@pytest.fixture(scope="module")
def space(training):
    return Semantics(list(passages(training)), 5, 1)


@pytest.fixture(scope="module")
def topics(training):
    return Topics(list(passages(training)), 4, 1)


@given(SHARES, SHARES)
def test_the_jensen_shannon_distance_equals_scipy(one, other):
    with np.errstate(invalid="ignore"):  # SciPy's of two that are nearly the same may be the root of less than 0
        theirs = np.nan_to_num(jensenshannon(one, other, base=2))
    assert jensen_shannon(one[np.newaxis], other)[0] == pytest.approx(theirs, abs=1e-6)


def test_jensen_shannon_distances_of_worked_examples():
    assert jensen_shannon(np.asarray([[5e-324, 1.0]]), np.asarray([0.0, 1.0]))[0] == 0  # SciPy's is infinite
    assert jensen_shannon(np.asarray([[1.0, 0.0]]), np.asarray([0.0, 1.0]))[0] == 1
    assert jensen_shannon(np.asarray([[0.5, 0.5]]), np.asarray([0.5, 0.5]))[0] == 0
    assert consistencies(np.asarray([[1.0, 0.0]]), np.asarray([[0.0, 1.0], [1.0, 0.0]]), np.asarray([[0, 1]])) == [0.5]


def test_the_cosine_equals_scipy(space):
    texts = ["the sailor steered the ship", "the queen on the throne", "a storm over the island"]
    vectors = space.embed(texts)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert cosines(vectors, vectors, np.asarray([[1], [2], [0]])) == pytest.approx(
        [1 - cosine(vectors[at], vectors[to]) for at, to in ((0, 1), (1, 2), (2, 0))]
    )
    assert cosines(vectors, vectors, np.asarray([[0], [1], [2]])) == pytest.approx([1, 1, 1])


def test_related_words_that_never_occur_together_are_similar(space):
    """What latent semantics are for: two texts without a word in common, of one subject."""
    vectors = space.embed(["sailor harbour", "mariner island", "shepherd orchard", "xyzzy"])
    assert vectors[0] @ vectors[1] > 0.7 > 0.3 > abs(vectors[0] @ vectors[2])
    assert not vectors[3].any()


def test_topics_separate_the_subjects(topics):
    mixtures = topics.mixtures(
        ["the sailor steered the ship past the island", "a captain feared the wave and the storm", "the shepherd fenced the meadow", ""]
    )
    assert mixtures.sum(axis=1) == pytest.approx(1)
    near, far = jensen_shannon(mixtures[:1], mixtures[1])[0], jensen_shannon(mixtures[:1], mixtures[2])[0]
    assert near < 0.5 < far
    assert mixtures[3] == pytest.approx(0.25)


def test_only_on_topic_texts_have_a_positive_lift(space, topics, human, tokenizer):
    groups = [row.group for row in human]
    others = unrelated_rows(groups, 8, 1)
    both_sides = sides(human, tokenizer)
    for found in (*semantic_metrics(space, both_sides, others), *(topic_metrics(topics, side, others) for side in both_sides)):
        ((name, lift),) = [(name, found[name]) for name in found if name.endswith("lift")]
        assert lift.estimate(Units("document", np.arange(len(human))), resamples=500, seed=1).low > 0.2, name
    turned = _turned(human)
    lift = semantic_metrics(space, sides(turned, tokenizer), others)[0]["semantic_lift"]
    assert value(lift.statistic, len(turned)) < 0.05


def test_each_side_has_its_own_similarities(space, human, tokenizer):
    others = unrelated_rows([row.group for row in human], 8, 1)
    model, reference = semantic_metrics(space, sides(human, tokenizer), others)
    for metrics, texts in ((model, [row.text for row in human]), (reference, [row.reference for row in human])):
        prompts, vectors = space.embed([row.prompt for row in human]), space.embed(texts)
        assert metrics["semantic_similarity"].rows == pytest.approx((prompts * vectors).sum(axis=1))
    assert model["semantic_similarity"].rows != reference["semantic_similarity"].rows


def _turned(rows):
    """Each row with the text of a work on another subject."""
    from dataclasses import replace

    return [replace(row, text=rows[(number + 2) % len(rows)].text) for number, row in enumerate(rows)]


@pytest.mark.parametrize("few", [[], ["Ay"], ["one two three"], ["no word twice here", "and each is alone"]])
def test_too_little_training_text_raises_value_error(few):
    with pytest.raises(ValueError):
        Semantics(few, 10, 1)
    with pytest.raises(ValueError):
        Topics(few, 4, 1)


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=12), st.integers(1, 5))
def test_unrelated_rows_are_of_another_work(groups, count):
    found = unrelated_rows(groups, count, 3)
    assert found.shape == (len(groups), count)
    for row, partners in enumerate(found):
        assert row not in partners
        assert len(set(groups)) == 1 or all(groups[partner] != groups[row] for partner in partners)


def test_a_single_row_has_no_unrelated_row():
    assert unrelated_rows(["a"], 4, 1).shape == (1, 0)
    assert np.isnan(cosines(np.ones((1, 2)), np.ones((1, 2)), unrelated_rows(["a"], 4, 1))[0])
    assert np.isnan(consistencies(np.ones((1, 1)), np.ones((1, 1)), unrelated_rows(["a"], 4, 1))[0])
