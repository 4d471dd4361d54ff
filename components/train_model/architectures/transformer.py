"""The Transformer language model (MODEL-2): pre-LN blocks over embedding and sinusoidal positions, output tied to the embedding.

A token attends to itself and to the `window - 1` tokens before it. Training sequences have at most `window` tokens, so generation sees
the same attention span as training, and a text may be longer than a training sequence. `step` keeps a ring buffer of `window` keys and
values per layer.
"""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from components.train_model.hardware import matrix_product
from robo_poet.settings.train import TrainSettings

MAX_POSITION = 512  # training covers positions below this
EPSILON = 1e-6  # of the layer normalisations
FAR = -1e9  # added to the attention score of a masked key


def build(settings: TrainSettings, vocabulary: int) -> keras.Model:
    """Return the model: token ids `[batch, time]` → logits `[batch, time, vocabulary]`. At full size it has 2,469,888 parameters."""
    width, span = settings.embedding, settings.window
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    # σ = width^-½, and the embedding is multiplied by width^½: its sum with the positions and the tied logits start near variance 1.
    embedding = keras.layers.ReversibleEmbedding(
        vocabulary, width, embeddings_initializer=keras.initializers.RandomNormal(stddev=width**-0.5), name="embedding"
    )
    position = ops.cumsum(ops.ones_like(tokens), axis=1) - 1
    angles = ops.multiply(ops.expand_dims(ops.cast(position, "float32"), -1), _position_rates(width))
    x = embedding(tokens) * math.sqrt(width) + ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)
    x = keras.layers.Dropout(settings.dropout, name="dropout")(x)
    distance = ops.expand_dims(position, 2) - ops.expand_dims(position, 1)  # distance from query i back to key j
    visible = ops.logical_and(distance >= 0, distance < span)
    for i in range(settings.layers):
        y = keras.layers.LayerNormalization(epsilon=EPSILON, name=f"attention_norm_{i}")(x)
        attention = keras.layers.MultiHeadAttention(settings.heads, width // settings.heads, name=f"attention_{i}")
        y = attention(y, y, attention_mask=visible)
        x = x + keras.layers.Dropout(settings.dropout, name=f"attention_dropout_{i}")(y)
        y = keras.layers.LayerNormalization(epsilon=EPSILON, name=f"ffn_norm_{i}")(x)
        y = keras.layers.Dense(settings.ffn, activation="relu", name=f"ffn_in_{i}")(y)
        y = keras.layers.Dense(width, name=f"ffn_out_{i}")(y)
        x = x + keras.layers.Dropout(settings.dropout, name=f"ffn_dropout_{i}")(y)
    x = keras.layers.LayerNormalization(epsilon=EPSILON, name="final_norm")(x)
    model = keras.Model(tokens, embedding(x, reverse=True), name="transformer")
    model.span = span
    return model


def features(model: keras.Model, tokens: tf.Tensor, compute: tf.DType, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
    """Return the inputs of the output projection: ids `[batch, time]`, time static → `[batch · time, width]`.

    Computes the same function as `model` without its projection. If a seed (`[2]` int32) is given, dropout is on and each row starts
    at a random position, so that sequences of 100 tokens train all positions. Both depend only on the seed.
    """
    batch, time = tf.shape(tokens)[0], tokens.shape[1]
    table = model.get_layer("embedding").embeddings.value
    width = table.shape[1]
    position = tf.tile(tf.range(time)[None], [batch, 1])
    if dropout_seed is not None:
        position += first_positions(dropout_seed, batch, time)
    angles = tf.cast(position, tf.float32)[..., None] * _position_rates(width)
    x = tf.gather(table, tokens) * math.sqrt(width) + tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)
    x = tf.reshape(x, [-1, width])
    distance = np.arange(time)[:, None] - np.arange(time)[None]
    mask = tf.constant(np.where((distance >= 0) & (distance < model.span), 0.0, FAR), tf.float32)

    dropout_numbers = iter(range(1, 64))

    def drop(x: tf.Tensor, rate: float) -> tf.Tensor:
        number = next(dropout_numbers)
        return x if dropout_seed is None or not rate else tf.nn.experimental.stateless_dropout(x, rate, seed=dropout_seed + [0, number])

    rate = model.get_layer("dropout").rate
    x = drop(x, rate)
    for block in _blocks(model):
        heads, dim = block.query.shape[1:]

        def split(y: tf.Tensor, heads: int = heads, dim: int = dim) -> tf.Tensor:
            return tf.transpose(tf.reshape(y, [batch, time, heads, dim]), [0, 2, 1, 3])

        projected = matrix_product(_norm(x, block.attention_norm), block.qkv_kernel(), compute) + block.qkv_bias()
        query, key, value = (split(part) for part in tf.split(projected, 3, axis=1))
        scores = matrix_product(query * dim**-0.5, key, compute, transpose_b=True) + mask
        mixed = matrix_product(tf.nn.softmax(scores), value, compute)
        mixed = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, width])
        x += drop(matrix_product(mixed, block.out_kernel(), compute) + block.out_bias, rate)
        inner = tf.nn.relu(matrix_product(_norm(x, block.ffn_norm), block.ffn_in[0], compute) + block.ffn_in[1])
        x += drop(matrix_product(inner, block.ffn_out[0], compute) + block.ffn_out[1], rate)
    return _norm(x, _norm_weights(model, "final_norm"))


def first_positions(seed: tf.Tensor, batch: tf.Tensor, time: int) -> tf.Tensor:
    """Return a random first position for each row of a training batch, `[batch, 1]` int32, from 0 to `MAX_POSITION - time`."""
    return tf.random.stateless_uniform([batch, 1], seed, 0, MAX_POSITION - time + 1, tf.int32)


def activation_floats_per_token(settings: TrainSettings) -> float:
    """Return the number of float32 values per token that training keeps in memory.

    Each block keeps:
    - norms, query/key/value (projected and split), residuals and masks;
    - attention scores and their softmax;
    - the inner layer and its ReLU.
    """
    scores = 2 * settings.heads * settings.window
    return 4 * settings.embedding + settings.layers * (10 * settings.embedding + scores + 2 * settings.ffn)


def head(model: keras.Model) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the transposed embedding `[width, vocabulary]` as the kernel, and zeros `[vocabulary]` as the bias."""
    table = model.get_layer("embedding").embeddings.value
    return tf.transpose(table), tf.zeros([table.shape[0]], table.dtype)


def body(model: keras.Model) -> keras.Model:
    """Return the model without its output projection: ids `[batch, time]` → `[batch, time, width]`."""
    return keras.Model(model.inputs, model.get_layer("final_norm").output)


def init_state(model: keras.Model, batch: tf.Tensor) -> list[list[tf.Tensor]]:
    """Return zeroed ring buffers of keys and values, `[window, batch, heads, dim]` each, for each layer."""
    shapes = [(model.span, batch, *block.query.shape[1:]) for block in _blocks(model)]
    return [[tf.zeros(shape), tf.zeros(shape)] for shape in shapes]


def step(
    model: keras.Model, tokens: tf.Tensor, state: list[list[tf.Tensor]], position: tf.Tensor
) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
    """Process one token per row: ids `[batch]` → `[batch, width]` and the next cache. Reads the weights of `model`, not a copy."""
    table = model.get_layer("embedding").embeddings.value
    width = table.shape[1]
    angles = tf.cast(position, tf.float32) * _position_rates(width)
    x = tf.gather(table, tokens) * math.sqrt(width) + tf.concat([tf.sin(angles), tf.cos(angles)], axis=0)
    slot = position % model.span  # attention ignores the order of the slots: each key contains its position
    mask = tf.where(tf.range(model.span) > position, FAR, 0.0)[:, None, None]
    next_state = []
    for block, (keys, values) in zip(_blocks(model), state, strict=True):
        heads, dim = block.query.shape[1:]
        projected = tf.matmul(_norm(x, block.attention_norm), block.qkv_kernel()) + block.qkv_bias()
        query, key, value = (tf.reshape(part, [-1, heads, dim]) for part in tf.split(projected, 3, axis=1))
        keys = tf.tensor_scatter_nd_update(keys, [[slot]], key[None])
        values = tf.tensor_scatter_nd_update(values, [[slot]], value[None])
        scores = tf.reduce_sum(query * dim**-0.5 * keys, axis=-1) + mask
        mixed = tf.reduce_sum(tf.nn.softmax(scores, axis=0)[..., None] * values, axis=0)
        x += tf.matmul(tf.reshape(mixed, [-1, width]), block.out_kernel()) + block.out_bias
        inner = tf.nn.relu(tf.matmul(_norm(x, block.ffn_norm), block.ffn_in[0]) + block.ffn_in[1])
        x += tf.matmul(inner, block.ffn_out[0]) + block.ffn_out[1]
        next_state.append([keys, values])
    return _norm(x, _norm_weights(model, "final_norm")), next_state


def select(state: list[list[tf.Tensor]], rows: tf.Tensor) -> list[list[tf.Tensor]]:
    """Return a cache whose row i is the old row `rows[i]`. `rows` is `[new batch]` int32."""
    return [[tf.gather(part, rows, axis=1) for part in layer] for layer in state]


class _Block:
    """The weights of one block, read from its Keras layers."""

    def __init__(self, model: keras.Model, number: int) -> None:
        attention = model.get_layer(f"attention_{number}")
        projections = [attention.query_dense, attention.key_dense, attention.value_dense]
        self._kernels, self._biases = [part.kernel.value for part in projections], [part.bias.value for part in projections]
        self.query = self._kernels[0]  # [width, heads, dim]
        self._out, self.out_bias = attention.output_dense.kernel.value, attention.output_dense.bias.value
        self.attention_norm, self.ffn_norm = _norm_weights(model, f"attention_norm_{number}"), _norm_weights(model, f"ffn_norm_{number}")
        feed_forward = [model.get_layer(f"{name}_{number}") for name in ("ffn_in", "ffn_out")]
        self.ffn_in, self.ffn_out = [(layer.kernel.value, layer.bias.value) for layer in feed_forward]

    def qkv_kernel(self) -> tf.Tensor:
        return tf.concat([tf.reshape(kernel, [kernel.shape[0], -1]) for kernel in self._kernels], axis=1)

    def qkv_bias(self) -> tf.Tensor:
        return tf.concat([tf.reshape(bias, [-1]) for bias in self._biases], axis=0)

    def out_kernel(self) -> tf.Tensor:
        return tf.reshape(self._out, [-1, self._out.shape[-1]])


def _blocks(model: keras.Model) -> list[_Block]:
    return [_Block(model, i) for i in range(sum(layer.name.startswith("ffn_in_") for layer in model.layers))]


def _norm_weights(model: keras.Model, name: str) -> tuple[Any, Any]:
    layer = model.get_layer(name)
    return layer.gamma.value, layer.beta.value


def _norm(x: tf.Tensor, weights: tuple[Any, Any]) -> tf.Tensor:
    """Layer normalisation over the last axis (Ba et al. 2016)."""
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + EPSILON) * weights[0] + weights[1]


def _position_rates(width: int) -> Any:
    """Return the radians per position of each sine/cosine pair, `[width / 2]` float32: 10000^(−2i/width) (Vaswani et al. 2017).

    The position encoding contains all sines first, then all cosines.
    """
    return np.power(10_000.0, -2 * np.arange(width // 2) / width).astype(np.float32)
