import numpy as np
import numpy.typing as npt
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.train_model.generation import sampler as graph
from serving.edge.sampler import penalise, sample, uniform

SIZES = st.sampled_from([5, 100, 130, 3000])  # the graph searches large vocabularies in another way


def logits_of(seed: int, size: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(scale=3, size=size).astype(np.float32)


@given(st.integers(0, 2**63 - 1), st.integers(0, 511))
def test_the_noise_equals_that_of_the_graph(seed: int, position: int) -> None:
    expected = graph.uniform(tf.constant([seed], tf.int64), tf.constant(position)).numpy()[0]
    assert uniform(seed, position) == expected and 0 <= expected < 1


@given(st.integers(0, 10**6), SIZES, st.floats(0.1, 2.0), st.integers(0, 100), st.floats(0.1, 1.0))
def test_sampled_tokens_equal_those_of_the_graph(seed: int, size: int, temperature: float, top_k: int, top_p: float) -> None:
    logits = logits_of(seed, size)
    logits[: size // 5] = -np.inf
    noise = np.random.default_rng(seed).random(50, np.float32)
    options = [np.full(50, option, kind) for option, kind in ((temperature, np.float32), (top_k, np.int32), (top_p, np.float32))]
    rows = tf.constant(np.broadcast_to(logits, (50, size)))
    expected = graph.sample(rows, *(tf.constant(option) for option in options), tf.constant(noise)).numpy()
    ours = [sample(logits, temperature, top_k, top_p, u) for u in noise]
    assert (ours == expected).mean() > 0.97  # float32 sums may differ where the noise falls on an edge


@given(st.integers(0, 10**6), st.sampled_from([1.0, 1.05, 1.1, 1.2]))
def test_the_penalty_equals_that_of_the_graph(seed: int, penalty: float) -> None:
    logits, seen = logits_of(seed, 60), np.random.default_rng(seed).random(60) < 0.3
    expected = graph.penalise(tf.constant(logits[None]), tf.constant(seen[None]), tf.constant([penalty], tf.float32)).numpy()[0]
    assert np.allclose(penalise(logits, seen, penalty), expected, rtol=1e-6)


def test_greedy_sampling_takes_the_first_of_the_most_likely_tokens() -> None:
    logits = np.asarray([0, 3, 1, 3, 3], np.float32)
    assert {sample(logits, 2.0, 1, 1.0, np.float32(u)) for u in (0, 0.5, 0.999)} == {1}


def test_draws_follow_the_distribution() -> None:
    shares = np.array([0.5, 0.25, 0.15, 0.1])
    logits = np.log(shares).astype(np.float32)
    n = 20_000
    counts = np.bincount([sample(logits, 1.0, 0, 1.0, uniform(9, position)) for position in range(n)], minlength=4)
    assert ((counts - n * shares) ** 2 / (n * shares)).sum() < 16.3  # chi-square, 3 degrees of freedom, p = 0.001
