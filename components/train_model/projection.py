"""Projection onto the vocabulary and cross-entropy in one, with the gradient by hand (TRAIN-2).

The logits of a batch of 32×100 tokens over 10,000 are 128 MB, and autodiff keeps several such tensors. Here they exist a chunk
of rows at a time, small enough to stay in the cache, and their gradient is taken while they are there.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from components.train_model.precision import product
from robo_poet.model.tokenizer import PAD

CHUNK = 400  # rows: 16 MB of logits at 10,000 tokens


def projected_cross_entropy(
    features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, targets: tf.Tensor, *, smoothing: float, compute: tf.DType
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sum of the label-smoothed cross-entropy in nats over targets that are not PAD, and how many there are.

    Smoothing ε mixes the target with the uniform distribution (Szegedy et al. 2016), which with logits z is
    logsumexp(z) − (1−ε)·z[target] − ε·mean(z).

    Args:
        features: `[rows, width]`.
        kernel, bias: `[width, vocabulary]`, `[vocabulary]`.
        targets: `[rows]` int32.
        compute: type of the products.
    """

    @tf.custom_gradient
    def loss(features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        kind, vocabulary = features.dtype, kernel.shape[1]
        cast = tf.cast(kernel, compute)
        rows = tf.shape(features)[0]
        total, d_kernel, d_bias = tf.zeros([], kind), tf.zeros_like(kernel), tf.zeros_like(bias)
        d_features = tf.TensorArray(kind, 0, dynamic_size=True, infer_shape=False, element_shape=[None, features.shape[1]])

        def chunk(at: tf.Tensor, total: Any, d_kernel: Any, d_bias: Any, d_features: Any) -> tuple[Any, ...]:
            part, wanted = features[at : at + CHUNK], targets[at : at + CHUNK]
            real = tf.cast(wanted != PAD, kind)
            logits = product(part, cast, compute) + bias
            peak = tf.reduce_max(logits, axis=1, keepdims=True)
            powers = tf.exp(logits - peak)
            sums = tf.reduce_sum(powers, axis=1, keepdims=True)
            nats = (peak + tf.math.log(sums))[:, 0] - (1 - smoothing) * tf.gather(logits, wanted, batch_dims=1)
            if smoothing:
                nats -= smoothing * tf.reduce_mean(logits, axis=1)
            # d nats / d logits = softmax − (1−ε)·onehot − ε/vocabulary
            d_logits = powers * (real[:, None] / sums) - real[:, None] * (smoothing / vocabulary)
            places = tf.stack([tf.range(tf.shape(wanted)[0]), wanted], axis=1)
            d_logits = tf.tensor_scatter_nd_sub(d_logits, places, (1 - smoothing) * real)
            return (
                at + CHUNK, total + tf.reduce_sum(nats * real), d_kernel + product(part, d_logits, compute, transpose_a=True),
                d_bias + tf.reduce_sum(d_logits, axis=0),
                d_features.write(at // CHUNK, product(d_logits, cast, compute, transpose_b=True)),
            )  # fmt: skip

        _, total, d_kernel, d_bias, d_features = tf.while_loop(
            lambda at, *_: at < rows, chunk, (tf.constant(0), total, d_kernel, d_bias, d_features), parallel_iterations=1
        )
        d_rows = d_features.concat()

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            return upstream * d_rows, upstream * d_kernel, upstream * d_bias

        return total, gradient

    return loss(features, kernel, bias), tf.reduce_sum(tf.cast(targets != PAD, features.dtype))
