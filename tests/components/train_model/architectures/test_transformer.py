import keras
import numpy as np
import pytest
import tensorflow as tf

from components.train_model.architectures import transformer
from robo_poet.settings.train import TrainSettings

SMALL = {"architecture": "transformer", "embedding": 16, "layers": 2, "heads": 2, "ffn": 20, "window": 8, "stride": 4}


def small(vocabulary: int = 40) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = transformer.build(TrainSettings(**SMALL), vocabulary)
    for variable in model.trainable_variables:  # norms and biases at other than their first values
        variable.assign(variable + tf.random.normal(variable.shape, stddev=0.1))
    return model


def test_full_size_has_exactly_the_specified_parameters() -> None:
    model = transformer.build(TrainSettings(architecture="transformer"), 10_000)
    block = {"attention_norm": 256, "attention": 66_048, "ffn_norm": 256, "ffn_in": 66_048, "ffn_out": 65_664}
    expected = {f"{name}_{i}": count for i in range(6) for name, count in block.items()} | {"embedding": 1_280_000, "final_norm": 256}
    assert {layer.name: layer.count_params() for layer in model.layers if layer.count_params()} == expected
    assert model.count_params() == 2_469_888


def test_a_token_attends_only_to_the_window_before_it() -> None:
    model = small()
    tokens = np.random.default_rng(0).integers(0, 40, (1, 20)).astype(np.int32)
    before = model(tokens, training=False).numpy()[0]
    changed = tokens.copy()
    changed[0, 10] = (changed[0, 10] + 1) % 40
    after = model(changed, training=False).numpy()[0]
    assert np.allclose(before[:10], after[:10], atol=1e-6) and not np.allclose(before[10], after[10], atol=1e-3)
    one_layer = transformer.build(TrainSettings(**{**SMALL, "layers": 1}), 40)
    before, after = (one_layer(t, training=False).numpy()[0] for t in (tokens, changed))
    assert not np.allclose(before[17], after[17], atol=1e-6) and np.allclose(before[18:], after[18:], atol=1e-6)


def test_dropout_and_positions_depend_only_on_their_seed() -> None:
    model = small()
    tokens = tf.constant(np.random.default_rng(0).integers(0, 40, (3, 8)).astype(np.int32))
    drawn = [transformer.features(model, tokens, tf.float32, tf.constant(seed)).numpy() for seed in ([1, 0], [1, 0], [1, 64], [2, 0])]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any() and (drawn[0] != drawn[3]).any()


def test_first_positions_cover_every_position_that_fits() -> None:
    begun = np.concatenate([transformer.first_positions(tf.constant([7, step]), 200, 100).numpy()[:, 0] for step in range(40)])
    assert begun.min() == 0 and begun.max() == 412  # 412 + 99 is the last of 512
    assert len(np.unique(begun)) == 413
    model = small()
    tokens = tf.constant(np.full((2, 8), 7, np.int32))
    model.get_layer("dropout").rate = 0.0
    rows = transformer.features(model, tokens, tf.float32, tf.constant([1, 0])).numpy().reshape(2, 8, 16)
    assert not np.allclose(rows[0], rows[1], atol=1e-3)  # the same text at two places


def test_gradients_reach_every_weight() -> None:
    model = small()
    tokens = tf.constant(np.random.default_rng(0).integers(0, 40, (2, 8)).astype(np.int32))
    weights = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        kernel, bias = transformer.head(model)
        loss = tf.reduce_sum(tf.nn.log_softmax(transformer.features(model, tokens, tf.float32) @ kernel + bias)[:, 3])
    assert all(gradient is not None for gradient in tape.gradient(loss, weights))


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="cannot be divided among 3 heads"):
        TrainSettings(**{**SMALL, "heads": 3})
