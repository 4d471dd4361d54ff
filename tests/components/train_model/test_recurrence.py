import keras
import numpy as np
import pytest
import tensorflow as tf

from components.train_model.recurrence import lstm_sequence


@pytest.mark.parametrize(("steps", "batch", "width", "units"), [(1, 2, 3, 4), (9, 3, 5, 4), (6, 1, 2, 7)])
def test_output_and_gradient_equal_keras_and_autodiff_in_float64(steps: int, batch: int, width: int, units: int) -> None:
    random = np.random.default_rng(steps)
    layer = keras.layers.LSTM(units, return_sequences=True, dtype="float64")
    x = tf.constant(random.normal(size=(batch, steps, width)))
    layer(x)
    weights = [tf.constant(w.numpy() + random.normal(size=w.shape)) for w in layer.trainable_variables]
    layer.set_weights([w.numpy() for w in weights])
    upstream = tf.constant(random.normal(size=(batch, steps, units)))
    with tf.GradientTape() as tape:
        tape.watch(x)
        theirs = layer(x)
        total = tf.reduce_sum(theirs * upstream)
    expected = tape.gradient(total, [x, *(v.value for v in layer.trainable_variables)])
    with tf.GradientTape() as tape:
        tape.watch([x, *weights])
        ours = tf.transpose(lstm_sequence(tf.transpose(x, [1, 0, 2]), *weights, tf.float64), [1, 0, 2])
        total = tf.reduce_sum(ours * upstream)
    assert np.allclose(ours, theirs, atol=1e-12)
    for gradient, wanted in zip(tape.gradient(total, [x, *weights]), expected, strict=True):
        assert np.allclose(gradient, wanted, atol=1e-11)


def test_bfloat16_products_stay_close() -> None:
    random = np.random.default_rng(0)
    x, kernel, recurrent, bias = (
        tf.constant(random.normal(size=shape, scale=0.3).astype(np.float32)) for shape in ((20, 4, 8), (8, 64), (16, 64), (64,))
    )
    exact = lstm_sequence(x, kernel, recurrent, bias, tf.float32)
    assert exact.dtype == tf.float32
    assert np.abs(lstm_sequence(x, kernel, recurrent, bias, tf.bfloat16) - exact).max() < 0.02
