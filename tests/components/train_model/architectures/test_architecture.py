"""What every architecture promises: its training form, its step and its Keras model compute the same logits (MODEL-3)."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.train_model.architectures import lstm, transformer
from components.train_model.architectures.architecture import ARCHITECTURES, Architecture
from robo_poet.settings.train import TrainSettings
from tests.components.train_model.architectures.test_transformer import small

VOCABULARY = 40


def small_lstm() -> keras.Model:
    keras.utils.set_random_seed(1)
    return lstm.build(TrainSettings(embedding=8, units=12, layers=3), VOCABULARY)


# architecture, small model, length of a sequence (beyond the Transformer's window of 8), tolerance of float32 sums
CASES = [
    pytest.param(lstm, small_lstm, 7, 1e-5, id="lstm"),
    pytest.param(transformer, small, 30, 1e-4, id="transformer"),
]


def tokens(length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, VOCABULARY, (3, length)).astype(np.int32)


def test_every_architecture_is_a_case() -> None:
    assert set(ARCHITECTURES.values()) == {case.values[0] for case in CASES}


@pytest.mark.parametrize(("architecture", "build", "length", "tolerance"), CASES)
def test_steps_equal_the_whole_sequence(
    architecture: Architecture, build: Callable[[], keras.Model], length: int, tolerance: float
) -> None:
    model, sequence = build(), tokens(length)
    whole = model(sequence, training=False).numpy()
    kernel, bias = architecture.head(model)
    state = architecture.init_state(model, 3)
    for at in range(length):
        x, state = architecture.step(model, sequence[:, at], state, tf.constant(at))
        assert np.allclose(x @ kernel + bias, whole[:, at], atol=tolerance)


@pytest.mark.parametrize(("architecture", "build", "length", "tolerance"), CASES)
def test_features_and_head_equal_the_model(
    architecture: Architecture, build: Callable[[], keras.Model], length: int, tolerance: float
) -> None:
    model, sequence = build(), tf.constant(tokens(length))
    kernel, bias = architecture.head(model)
    logits = architecture.features(model, sequence, tf.float32) @ kernel + bias
    assert np.allclose(tf.reshape(logits, [3, length, VOCABULARY]), model(sequence, training=False), atol=tolerance)
