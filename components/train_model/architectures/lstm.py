"""The LSTM language model (MODEL-1): embedding → (LSTM → dropout) × layers → dense logits.

Training runs an LSTM layer over whole sequences in one of two ways:

- On a CPU, `lstm_sequence` with a hand-written gradient (Hochreiter & Schmidhuber 1997; gate order as in Keras: i, f, g, o). Automatic
  differentiation of Keras' loop multiplies and sums the weight gradients at each time step. Here the input projection and each of the two
  weight gradients are one matrix product over all steps. A prototype with the loss of `projection` trained MODEL-1 on 2 cores 1.6 times as
  fast as Keras' train_on_batch in float32, and 3.0 times as fast with bfloat16 products (32×100 tokens, one process).
- On a GPU, `cudnn_sequence`: the Keras layer, which calls cuDNN's fused kernels where it can (TRAIN-3). A test compares it with
  `lstm_sequence` on a CPU, where Keras uses its generic kernels. It has not been run on a GPU. `jit_compile` must be off there: XLA has
  no kernel that replaces cuDNN's.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from components.train_model.hardware import matrix_product
from robo_poet.settings.train import TrainSettings


def lstm_sequence(x: tf.Tensor, kernel: tf.Tensor, recurrent: tf.Tensor, bias: tf.Tensor, compute: tf.DType) -> tf.Tensor:
    """Return the hidden states of all steps. The initial hidden and cell states are zero.

    Args:
        x: `[time, batch, width]`, time static.
        kernel, recurrent, bias: `[width, 4·units]`, `[units, 4·units]`, `[4·units]`.
        compute: dtype of the matrix products.

    Returns:
        `[time, batch, units]`, with the dtype of `x`.
    """
    steps, units = x.shape[0], recurrent.shape[0]

    @tf.custom_gradient
    def sequence(x: tf.Tensor, kernel: tf.Tensor, recurrent: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        batch = tf.shape(x)[1]
        flat = tf.reshape(x, [-1, x.shape[2]])
        projected = tf.unstack(tf.reshape(matrix_product(flat, kernel, compute) + bias, [steps, batch, 4 * units]))
        compute_recurrent = tf.cast(recurrent, compute)  # once, not at each step
        zero = tf.zeros([batch, units], x.dtype)
        hidden, cell = zero, zero
        hiddens, cells, gates = [], [cell], []
        for t in range(steps):
            i, f, g, o = tf.split(projected[t] + matrix_product(hidden, compute_recurrent, compute), 4, axis=1)
            i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
            cell = f * cell + i * g
            tanh_cell = tf.tanh(cell)
            hidden = o * tanh_cell
            hiddens.append(hidden)
            cells.append(cell)
            gates.append((i, f, g, o, tanh_cell))
        output = tf.stack(hiddens)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
            # Terms that do not depend on the gradient from later steps are computed for all steps in one operation. This halves the
            # nodes of the graph: MODEL-1 takes 4.7 s instead of 7.1 s to start, and 70 MB less.
            i, f, g, o, tanh_cell = (tf.stack(gate_steps) for gate_steps in zip(*gates, strict=True))
            slopes = tf.unstack(
                tf.concat([g * i * (1 - i), tf.stack(cells[:-1]) * f * (1 - f), i * (1 - g * g), tanh_cell * o * (1 - o)], axis=2)
            )
            cell_slopes = tf.unstack(o * (1 - tanh_cell * tanh_cell))
            from_above = tf.unstack(upstream, num=steps)
            d_hidden, d_cell, d_gates = zero, zero, []
            for t in reversed(range(steps)):
                d_output = from_above[t] + d_hidden
                d_state = d_cell + d_output * cell_slopes[t]
                d_gate = tf.concat([d_state, d_state, d_state, d_output], axis=1) * slopes[t]
                d_gates.append(d_gate)
                d_hidden = matrix_product(d_gate, compute_recurrent, compute, transpose_b=True)
                d_cell = d_state * gates[t][1]
            d_all = tf.reshape(tf.stack(d_gates[::-1]), [-1, 4 * units])
            previous_hidden = tf.reshape(tf.concat([zero[None], output[:-1]], axis=0), [-1, units])
            return (
                tf.reshape(matrix_product(d_all, kernel, compute, transpose_b=True), tf.shape(x)),
                matrix_product(flat, d_all, compute, transpose_a=True),
                matrix_product(previous_hidden, d_all, compute, transpose_a=True),
                tf.reduce_sum(d_all, axis=0),
            )

        return output, gradient

    return sequence(x, kernel, recurrent, bias)


def has_gpu() -> bool:
    """Return True if there is a GPU. The recurrence then runs on it."""
    return bool(tf.config.list_physical_devices("GPU"))


def cudnn_sequence(layer: keras.layers.LSTM, x: tf.Tensor, compute: tf.DType) -> tf.Tensor:
    """Return the hidden states of all steps: those of `lstm_sequence` with the weights of `layer`. The initial states are zero.

    Args:
        layer: a built layer with `return_sequences`. Its dtype policy is set according to `compute`; its weights stay float32.
        x: `[time, batch, width]` float32.
        compute: float16 uses the tensor cores. cuDNN's LSTM does not support bfloat16; with bfloat16 the layer runs in float32.

    Returns:
        `[time, batch, units]` float32.
    """
    policy = "mixed_float16" if compute == tf.float16 else "float32"
    if layer.dtype_policy.name != policy:
        layer.dtype_policy = layer.cell.dtype_policy = keras.DTypePolicy(policy)
    return tf.transpose(tf.cast(layer(tf.transpose(x, [1, 0, 2])), x.dtype), [1, 0, 2])


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
        if has_gpu():
            x = cudnn_sequence(layer, x, compute)
        else:
            x = lstm_sequence(x, cell.kernel.value, cell.recurrent_kernel.value, cell.bias.value, compute)
        rate = model.get_layer(f"dropout_{number}").rate
        if dropout_seed is not None and rate:
            x = tf.nn.experimental.stateless_dropout(x, rate, seed=dropout_seed + [0, number])
    return tf.reshape(tf.transpose(x, [1, 0, 2]), [-1, x.shape[2]])


def activation_floats_per_token(settings: TrainSettings) -> float:
    """Return the number of float32 values per token that training keeps in memory: the embedding, and 22 per LSTM unit.

    - Forward pass, 9: 4 gates, tanh of the cell, cell, two copies of the hidden state, dropout.
    - Backward pass, 13: 5 slopes, two copies of the gradients of the 4 gates.
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
    """Return a state whose row i is the old row `rows[i]`. `rows` is `[new batch]` int32."""
    return [[tf.gather(part, rows) for part in layer] for layer in state]
