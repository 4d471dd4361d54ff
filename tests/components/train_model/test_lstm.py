import keras
import numpy as np
import tensorflow as tf

from components.train_model import lstm
from robo_poet.settings.train import TrainSettings


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


def test_step_by_step_is_the_whole_sequence() -> None:
    keras.utils.set_random_seed(1)
    model = lstm.build(TrainSettings(embedding=8, units=12, layers=3), 40)
    tokens = np.random.default_rng(0).integers(0, 40, (3, 7)).astype(np.int32)
    whole = model(tokens, training=False).numpy()
    kernel, bias = lstm.head(model)
    state = lstm.init_state(model, 3)
    for at in range(7):
        x, state = lstm.step(model, tokens[:, at], state, tf.constant(at))
        assert np.allclose(x @ kernel + bias, whole[:, at], atol=1e-5)


def test_features_and_head_are_the_model_and_dropout_belongs_to_its_seed() -> None:
    keras.utils.set_random_seed(1)
    model = lstm.build(TrainSettings(embedding=8, units=12, layers=2), 40)
    tokens = tf.constant(np.random.default_rng(0).integers(0, 40, (3, 7)).astype(np.int32))
    kernel, bias = lstm.head(model)
    logits = lstm.features(model, tokens, tf.float32) @ kernel + bias
    assert np.allclose(tf.reshape(logits, [3, 7, 40]), model(tokens, training=False), atol=1e-5)
    dropped = [lstm.features(model, tokens, tf.float32, tf.constant(seed)).numpy() for seed in ([1, 0], [1, 0], [1, 64], [2, 0])]
    assert (dropped[0] == dropped[1]).all()
    assert (dropped[0] != dropped[2]).any() and (dropped[0] != dropped[3]).any()
    assert 0.15 < (dropped[0] == 0).mean() < 0.45
