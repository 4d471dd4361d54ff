"""The LSTM, the first implementation of the interface of an architecture."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.train_model.architectures import lstm
from components.train_model.architectures.lstm import cudnn_sequence, has_gpu, lstm_sequence
from robo_poet.settings.train import TrainSettings


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


@pytest.mark.parametrize("compute, tolerance", [(tf.float32, 1e-5), (tf.bfloat16, 1e-5), (tf.float16, 5e-3)])
def test_the_keras_layer_and_lstm_sequence_have_equal_output_and_gradient(compute: tf.DType, tolerance: float) -> None:
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


def test_has_gpu_agrees_with_tensorflow() -> None:
    assert has_gpu() == bool(tf.config.list_physical_devices("GPU"))


def test_full_size_has_exactly_the_specified_parameters() -> None:
    model = lstm.build(TrainSettings(), 10_000)
    counts = {layer.name: layer.count_params() for layer in model.layers if layer.count_params()}
    assert counts == {"embedding": 1_280_000, "lstm_0": 394_240, "lstm_1": 525_312, "logits": 2_570_000}
    assert model.count_params() == 4_769_552


def test_initial_weights_follow_the_specification() -> None:
    keras.utils.set_random_seed(0)
    model = lstm.build(TrainSettings(units=64), 2_000)
    embedding = model.get_layer("embedding").get_weights()[0]
    assert abs(embedding.mean()) < 2e-4 and abs(embedding.std() - 0.01) < 2e-4
    kernel, recurrent, _ = model.get_layer("lstm_0").get_weights()
    limit = np.sqrt(6 / sum(kernel.shape))
    assert 0.95 * limit < np.abs(kernel).max() <= limit
    assert np.allclose(recurrent @ recurrent.T, np.eye(64), atol=1e-4)
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [0.3, 0.3]


def test_dropout_depends_only_on_its_seed() -> None:
    keras.utils.set_random_seed(1)
    model = lstm.build(TrainSettings(embedding=8, units=12, layers=2), 40)
    tokens = tf.constant(np.random.default_rng(0).integers(0, 40, (3, 7)).astype(np.int32))
    dropped = [lstm.features(model, tokens, tf.float32, tf.constant(seed)).numpy() for seed in ([1, 0], [1, 0], [1, 64], [2, 0])]
    assert (dropped[0] == dropped[1]).all()
    assert (dropped[0] != dropped[2]).any() and (dropped[0] != dropped[3]).any()
    assert 0.15 < (dropped[0] == 0).mean() < 0.45
