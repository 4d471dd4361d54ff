"""The LSTM language model (MODEL-1): embedding → (LSTM → dropout) × layers → dense logits."""

from typing import Any

import keras
import tensorflow as tf

from components.train_model.cudnn import cudnn_sequence, on_gpu
from components.train_model.recurrence import lstm_sequence
from robo_poet.settings.train import TrainSettings


def build(settings: TrainSettings, vocabulary: int) -> keras.Model:
    """Return the model: token ids `[batch, time]` → logits `[batch, time, vocabulary]`. At full size it has 4,769,552 parameters."""
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
    """Return the inputs of the output projection: ids `[batch, time]`, time static → `[batch · time, units]`.

    Computes the same function as `model` without its projection, with the fast recurrence. Dropout is on if a seed (`[2]` int32) is
    given. It depends only on the seed, so that a resumed training drops the same units.
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
    """Return the float32 values per token that training keeps in memory, 22 per LSTM unit.

    Forward 9: 4 gates, tanh of the cell, cell, hidden state twice, dropout. Backward 13: 5 slopes, gradients of the 4 gates twice.
    """
    return settings.embedding + settings.layers * 22 * settings.units


def head(model: keras.Model) -> tuple[tf.Tensor, tf.Tensor]:
    """Return kernel `[units, vocabulary]` and bias `[vocabulary]` of the output projection."""
    layer = model.get_layer("logits")
    return layer.kernel.value, layer.bias.value


def body(model: keras.Model) -> keras.Model:
    """Return the model without its output projection: ids `[batch, time]` → `[batch, time, units]`."""
    return keras.Model(model.inputs, model.get_layer("logits").input)


def _recurrent(model: keras.Model) -> list[Any]:
    return [layer for layer in model.layers if isinstance(layer, keras.layers.LSTM)]


def init_state(model: keras.Model, batch: tf.Tensor) -> list[list[tf.Tensor]]:
    """Return zeros as hidden and cell state `[batch, units]` of each layer."""
    return [[tf.zeros([batch, layer.units]), tf.zeros([batch, layer.units])] for layer in _recurrent(model)]


def step(
    model: keras.Model, tokens: tf.Tensor, state: list[list[tf.Tensor]], position: tf.Tensor
) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
    """Process one token per row: ids `[batch]` → `[batch, units]` and the next state. Reads the weights of `model`, not a copy.

    The position is unused: an LSTM has no positions.
    """
    x = tf.gather(model.get_layer("embedding").embeddings.value, tokens)
    next_state = []
    for layer, (hidden, carry) in zip(_recurrent(model), state, strict=True):
        cell = layer.cell
        gates = tf.matmul(x, cell.kernel.value) + tf.matmul(hidden, cell.recurrent_kernel.value) + cell.bias.value
        i, f, g, o = tf.split(gates, 4, axis=1)
        carry = tf.sigmoid(f) * carry + tf.sigmoid(i) * tf.tanh(g)
        x = hidden = tf.sigmoid(o) * tf.tanh(carry)
        next_state.append([hidden, carry])
    return x, next_state


def select(state: list[list[tf.Tensor]], rows: tf.Tensor) -> list[list[tf.Tensor]]:
    """Return the state with its rows gathered by `rows` `[new batch]`."""
    return [[tf.gather(part, rows) for part in layer] for layer in state]
