import numpy as np
import pytest
import tensorflow as tf

from components.train_model.projection import CHUNK, projected_cross_entropy


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
        total, plain, count = tf.function(projected_cross_entropy)(*inputs, targets, smoothing=smoothing, compute=tf.float64)
        twice = 2 * total
    assert float(total) == pytest.approx(float(expected), rel=1e-10)
    assert float(plain) == pytest.approx(float(unsmoothed), rel=1e-10)
    assert float(count) == float(tf.reduce_sum(real))
    for ours, theirs in zip(tape.gradient(twice, inputs), gradients, strict=True):
        assert np.allclose(ours, 2 * theirs, atol=1e-10)


def test_padding_alone_counts_nothing() -> None:
    total, _, count = projected_cross_entropy(
        tf.ones([6, 4]), tf.ones([4, 9]), tf.zeros([9]), tf.zeros([6], tf.int32), smoothing=0.1, compute=tf.float32
    )
    assert float(total) == float(count) == 0.0
