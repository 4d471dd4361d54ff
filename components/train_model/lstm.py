"""The LSTM language model (MODEL-1): embedding → (LSTM → dropout) × layers → dense logits."""

from typing import Any

import keras
import tensorflow as tf

from components.train_model.cudnn import cudnn_sequence, on_gpu
from components.train_model.recurrence import lstm_sequence
from robo_poet.settings.train import TrainSettings


def build(settings: TrainSettings, vocabulary: int) -> keras.Model:
    """Token ids `[batch, time]` → logits `[batch, time, vocabulary]`. At full size exactly 4,769,552 parameters."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = keras.layers.Embedding(
        vocabulary, settings.embedding, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.01), name="embedding"
    )(tokens)
    for i in range(settings.layers):
        x = keras.layers.LSTM(
            settings.units,
            return_sequences=True,
            kernel_initializer="glorot_uniform",
            recurrent_initializer="orthogonal",
            recurrent_dropout=0.0,
            name=f"lstm_{i}",
        )(x)
        x = keras.layers.Dropout(settings.dropout, name=f"dropout_{i}")(x)
    logits = keras.layers.Dense(vocabulary, kernel_initializer="glorot_uniform", dtype="float32", name="logits")(x)
    return keras.Model(tokens, logits, name="lstm")


def features(model: keras.Model, tokens: tf.Tensor, compute: tf.DType, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
    """What the logits are projected from: ids `[batch, time]`, time static → `[batch · time, units]`.

    The same function as `model` but for the projection, by the fast recurrence. With a seed (`[2]` int32) it drops out, and what is
    dropped is a function of the seed alone, so that a resumed training drops the same.
    """
    x = tf.gather(model.get_layer("embedding").embeddings.value, tf.transpose(tokens))
    for number, layer in enumerate(_recurrent(model)):
        cell = layer.cell
        if on_gpu():
            x = cudnn_sequence(layer, x, compute)
        else:
            x = lstm_sequence(x, cell.kernel.value, cell.recurrent_kernel.value, cell.bias.value, compute)
        rate = model.get_layer(f"dropout_{number}").rate
        if dropout_seed is not None and rate:
            x = tf.nn.experimental.stateless_dropout(x, rate, seed=dropout_seed + [0, number])
    return tf.reshape(tf.transpose(x, [1, 0, 2]), [-1, x.shape[2]])


def floats_a_token(settings: TrainSettings) -> float:
    """A unit: 4 gates and the squashed cell, cell, hidden twice, dropout; backward 5 slopes and 4 of the gates' gradient, twice."""
    return settings.embedding + settings.layers * 22 * settings.units


def head(model: keras.Model) -> tuple[tf.Tensor, tf.Tensor]:
    """Kernel `[units, vocabulary]` and bias of the projection onto the vocabulary."""
    layer = model.get_layer("logits")
    return layer.kernel.value, layer.bias.value


def body(model: keras.Model) -> keras.Model:
    """All but the projection: ids `[batch, time]` → `[batch, time, units]`."""
    return keras.Model(model.inputs, model.get_layer("logits").input)


def _recurrent(model: keras.Model) -> list[Any]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.LSTM)]


def init_state(model: keras.Model, batch: tf.Tensor) -> list[list[tf.Tensor]]:
    """Zeros: hidden and cell state `[batch, units]` of each layer."""
    return [[tf.zeros([batch, layer.units]), tf.zeros([batch, layer.units])] for layer in _recurrent(model)]


def step(
    model: keras.Model, tokens: tf.Tensor, state: list[list[tf.Tensor]], position: tf.Tensor
) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
    """Ids `[batch]` and state → `[batch, units]` and the next state; the very weights of `model`. The position means nothing here."""
    x = tf.gather(model.get_layer("embedding").embeddings.value, tokens)
    following = []
    for layer, (hidden, carry) in zip(_recurrent(model), state, strict=True):
        cell = layer.cell
        gates = tf.matmul(x, cell.kernel.value) + tf.matmul(hidden, cell.recurrent_kernel.value) + cell.bias.value
        i, f, g, o = tf.split(gates, 4, axis=1)
        carry = tf.sigmoid(f) * carry + tf.sigmoid(i) * tf.tanh(g)
        x = hidden = tf.sigmoid(o) * tf.tanh(carry)
        following.append([hidden, carry])
    return x, following


def select(state: list[list[tf.Tensor]], rows: tf.Tensor) -> list[list[tf.Tensor]]:
    """The state of `rows` `[new batch]`."""
    return [[tf.gather(part, rows) for part in layer] for layer in state]
