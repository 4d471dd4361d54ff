import keras
import numpy as np
import pytest
import tensorflow as tf

from components.train_model.cudnn import cudnn_sequence, on_gpu
from components.train_model.recurrence import lstm_sequence


@pytest.mark.parametrize("compute, tolerance", [(tf.float32, 1e-5), (tf.bfloat16, 1e-5), (tf.float16, 5e-3)])
def test_keras_layer_and_our_recurrence_are_the_same_function_with_the_same_gradient(compute: tf.DType, tolerance: float) -> None:
    keras.utils.set_random_seed(3)
    layer = keras.layers.LSTM(6, return_sequences=True)
    layer.build((None, None, 5))
    weights = [v.value for v in layer.trainable_variables]
    x = tf.constant(np.random.default_rng(1).normal(size=(7, 3, 5)).astype(np.float32))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        theirs = tf.function(lambda x: cudnn_sequence(layer, x, compute))(x)
        ours = lstm_sequence(x, *(tf.identity(w) for w in weights), tf.float32)
        sums = [tf.reduce_sum(y * y) for y in (theirs, ours)]
    assert theirs.dtype == tf.float32 and [v.dtype for v in layer.trainable_variables] == ["float32"] * 3
    assert np.allclose(theirs, ours, atol=tolerance)
    for variable in [x, *weights]:
        first, second = (tape.gradient(total, variable) for total in sums)
        assert first.dtype == tf.float32 and np.allclose(first, second, atol=20 * tolerance)


def test_this_machine_says_whether_it_has_a_gpu() -> None:
    assert on_gpu() == bool(tf.config.list_physical_devices("GPU"))
