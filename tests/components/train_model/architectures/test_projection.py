from functools import cache

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.train_model.architectures.projection import CHUNK, likelihood, projected_cross_entropy
from robo_poet.model.tokenizer import PAD
from tests.components.train_model.toy_writer import Toy


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("rows", [1, CHUNK, 2 * CHUNK + 17])
def test_loss_and_gradient_equal_the_definition_by_autodiff_in_float64(rows: int, smoothing: float) -> None:
    random = np.random.default_rng(rows)
    inputs = [tf.constant(random.normal(size=shape)) for shape in ((rows, 5), (5, 11), (11,))]
    targets = tf.constant(random.integers(0, 11, rows).astype(np.int32))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        log_p = tf.nn.log_softmax(inputs[0] @ inputs[1] + inputs[2])
        wanted = tf.one_hot(targets, 11, dtype=tf.float64) * (1 - smoothing) + smoothing / 11
        real = tf.cast(targets != 0, tf.float64)
        expected = -tf.reduce_sum(tf.reduce_sum(wanted * log_p, axis=1) * real)
        unsmoothed = -tf.reduce_sum(tf.gather(log_p, targets, batch_dims=1) * real)
    gradients = tape.gradient(expected, inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total, plain, count, hits, top_hits = tf.function(projected_cross_entropy)(
            *inputs, targets, smoothing=smoothing, compute=tf.float64
        )
        twice = 2 * total
    assert float(total) == pytest.approx(float(expected), rel=1e-10)
    assert float(plain) == pytest.approx(float(unsmoothed), rel=1e-10)
    assert float(count) == float(tf.reduce_sum(real))
    ranks = tf.reduce_sum(tf.cast(log_p > tf.gather(log_p, targets, batch_dims=1)[:, None], tf.float64), axis=1)
    for found, limit in ((hits, 1), (top_hits, 5)):  # the definition of the evaluation: fewer than 1 or 5 tokens are more likely
        assert float(found) == float(tf.reduce_sum(tf.cast(ranks < limit, tf.float64) * real))
    for ours, theirs in zip(tape.gradient(twice, inputs), gradients, strict=True):
        assert np.allclose(ours, 2 * theirs, atol=1e-10)


def test_padding_has_no_loss_and_no_hits() -> None:
    total, _, count, hits, top_hits = projected_cross_entropy(
        tf.ones([6, 4]), tf.ones([4, 9]), tf.zeros([9]), tf.zeros([6], tf.int32), smoothing=0.1, compute=tf.float32
    )
    assert float(total) == float(count) == float(hits) == float(top_hits) == 0.0


@cache
def toy(name: str) -> Toy:
    return Toy(name, vocabulary=40)


@given(
    rows=st.sampled_from([1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3]),
    seed=st.integers(0, 2**31),
)
def test_likelihood_in_chunks_equals_the_softmax_of_all_rows(rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    features, kernel, bias = (random.normal(size=shape).astype(np.float32) for shape in ((rows, 5), (5, 9), (9,)))
    targets = random.integers(0, 9, rows).astype(np.int32)
    chances, ranks = (value.numpy() for value in likelihood(*map(tf.constant, (features, kernel, bias, targets))))
    logits = features.astype(np.float64) @ kernel + bias
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chosen = shares[np.arange(rows), targets]
    real = targets != PAD
    np.testing.assert_allclose(chances, np.where(real, np.log(chosen), 0), atol=2e-5)
    clear = (np.abs(logits - np.log(chosen)[:, None] - np.log(np.exp(logits).sum(1))[:, None]) > 1e-5).sum(1) == 8  # no near tie
    assert (ranks == np.where(real, (shares > chosen[:, None]).sum(axis=1), -1))[clear].all()


@pytest.mark.parametrize("name", ["lstm", "transformer"])
@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[2, 38, 5]], "tokens: unknown token id, the valid ids are 0 to 36"),
        ([[2, -1]], "tokens: unknown token id"),
        ([[2]], "tokens: must have at least 2 columns"),
    ],
)
def test_score_names_an_invalid_input(name: str, tokens: list[list[int]], message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        toy(name).exported.score(tf.constant(tokens, tf.int32))


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_no_tensor_of_score_holds_all_logits(name: str) -> None:
    """32×512 tokens over 10,000 would be 0.7 GB a tensor: what is as wide as the vocabulary stays a chunk's."""
    graph = toy(name).exported.score.get_concrete_function().graph
    wide = [
        tensor.shape for operation in graph.get_operations() for tensor in operation.outputs
        if tensor.shape.rank == 3 and tensor.shape[-1] == 40
    ]  # fmt: skip
    assert wide == []


def test_the_projection_keeps_gradients_below_the_float16_range() -> None:
    """A token of probability 2e-8 still has its gradient, through the shift."""
    features, kernel = tf.ones([4, 8]), tf.Variable(tf.zeros([8, 3]))
    bias = tf.constant([0.0, 0.0, float(np.log(2e-8))])
    with tf.GradientTape() as tape:
        total, *_ = projected_cross_entropy(features, kernel, bias, tf.ones([4], tf.int32), smoothing=0.0, compute=tf.float16)
    assert np.allclose(tape.gradient(total, kernel)[:, 2], 4 * 1e-8, rtol=0.1)
