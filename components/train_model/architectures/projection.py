"""The projection onto the vocabulary, fused with the loss for training (TRAIN-2) or with log probabilities for scoring (EVAL-1).

The logits of 32×100 tokens over a vocabulary of 10,000 take 128 MB, and autodiff keeps several such tensors; those of 32×512 tokens take
0.7 GB. Here logits exist for one chunk of rows at a time, which fits into the CPU cache. The loss has a hand-written gradient, computed
in the same iteration.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from components.train_model.hardware import matrix_product
from robo_poet.model.tokenizer import PAD

CHUNK = 400  # rows: 16 MB of logits at 10,000 tokens
# float16 cannot hold a probability below 6e-8. So the gradient of the logits, at most 1, is multiplied by this factor. The sum over a
# chunk's rows stays below the largest float16, 65,504. Loss scaling cannot help: it applies after the forward pass, which computes this
# gradient.
SHIFT = 16.0
TOP = 5  # a target is a hit of the top-5 accuracy if fewer than 5 tokens are more likely


class Sums(NamedTuple):
    """Sums over the targets of a batch that are not PAD, as scalars. Only `loss` has a gradient.

    Attributes:
        loss: smoothed cross-entropy, nats.
        nats: unsmoothed cross-entropy, nats.
        tokens: number of targets.
        hits: targets that are the most likely token.
        top_hits: targets among the `TOP` most likely tokens.
    """

    loss: tf.Tensor
    nats: tf.Tensor
    tokens: tf.Tensor
    hits: tf.Tensor
    top_hits: tf.Tensor


def projected_cross_entropy(
    features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, targets: tf.Tensor, *, smoothing: float, compute: tf.DType
) -> Sums:
    """Return the sums of smoothed and unsmoothed cross-entropy and of the accuracies. Targets that are PAD are ignored.

    Smoothing ε mixes the target with the uniform distribution (Szegedy et al. 2016). With logits z the loss is
    logsumexp(z) − (1−ε)·z[target] − ε·mean(z).

    Args:
        features: `[rows, width]`.
        kernel, bias: `[width, vocabulary]`, `[vocabulary]`.
        targets: `[rows]` int32.
        smoothing: label smoothing ε, 0 is off.
        compute: dtype of the matrix products.
    """
    shift = SHIFT if compute == tf.float16 else 1.0

    @tf.custom_gradient
    def loss(features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tuple[tuple[tf.Tensor, ...], Callable[..., Any]]:
        dtype, vocabulary = features.dtype, kernel.shape[1]
        compute_kernel = tf.cast(kernel, compute)
        rows = tf.shape(features)[0]
        sums, d_kernel, d_bias = tf.zeros([4], dtype), tf.zeros_like(kernel), tf.zeros_like(bias)
        d_features = tf.TensorArray(dtype, 0, dynamic_size=True, infer_shape=False, element_shape=[None, features.shape[1]])

        def chunk(at: tf.Tensor, sums: Any, d_kernel: Any, d_bias: Any, d_features: Any) -> tuple[Any, ...]:
            chunk_features, chunk_targets = features[at : at + CHUNK], targets[at : at + CHUNK]
            is_target = tf.cast(chunk_targets != PAD, dtype)
            logits = matrix_product(chunk_features, compute_kernel, compute) + bias
            maxima = tf.reduce_max(logits, axis=1, keepdims=True)
            exponentials = tf.exp(logits - maxima)
            normalisers = tf.reduce_sum(exponentials, axis=1, keepdims=True)
            target_logits = tf.gather(logits, chunk_targets, batch_dims=1)
            losses = smoothed_losses = (maxima + tf.math.log(normalisers))[:, 0] - target_logits
            if smoothing:
                smoothed_losses += smoothing * (target_logits - tf.reduce_mean(logits, axis=1))
            # in_top_k stops reading a row at the fifth larger logit. A comparison of all logits costs 21 % of this function, top_k 34 %.
            in_top = tf.math.in_top_k(chunk_targets, tf.cast(logits, tf.float32), TOP)
            chunk_values = (smoothed_losses, losses, tf.cast(target_logits >= maxima[:, 0], dtype), tf.cast(in_top, dtype))
            # d nats / d logits = softmax − (1−ε)·onehot − ε/vocabulary
            d_logits = exponentials * (is_target[:, None] / normalisers) - is_target[:, None] * (smoothing / vocabulary)
            indices = tf.stack([tf.range(tf.shape(chunk_targets)[0]), chunk_targets], axis=1)
            d_logits = tf.tensor_scatter_nd_sub(d_logits, indices, (1 - smoothing) * is_target)
            d_bias += tf.reduce_sum(d_logits, axis=0)
            if shift != 1:
                d_logits *= shift
            return (
                at + CHUNK, sums + tf.linalg.matvec(tf.stack(chunk_values), is_target),
                d_kernel + matrix_product(chunk_features, d_logits, compute, transpose_a=True), d_bias,
                d_features.write(at // CHUNK, matrix_product(d_logits, compute_kernel, compute, transpose_b=True)),
            )  # fmt: skip

        _, sums, d_kernel, d_bias, d_features = tf.while_loop(
            lambda at, *_: at < rows, chunk, (tf.constant(0), sums, d_kernel, d_bias, d_features), parallel_iterations=1
        )
        d_rows = d_features.concat()

        def gradient(upstream: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            return upstream / shift * d_rows, upstream / shift * d_kernel, upstream * d_bias

        return tuple(tf.unstack(sums)), gradient

    total, nats, hits, top_hits = loss(features, kernel, bias)
    return Sums(total, nats, tf.reduce_sum(tf.cast(targets != PAD, features.dtype)), hits, top_hits)


def likelihood(features: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the log probability of each target, and its rank: the number of tokens with a higher probability.

    Args:
        features: `[rows, width]` float32.
        kernel, bias: `[width, vocabulary]`, `[vocabulary]`.
        targets: `[rows]` int32.

    Returns:
        Log probabilities in nats, `[rows]` float32, 0 for PAD; ranks from 0, `[rows]` int32, −1 for PAD.
    """
    rows = tf.shape(features)[0]
    log_probs = tf.TensorArray(tf.float32, 0, dynamic_size=True, infer_shape=False, element_shape=[None])
    ranks = tf.TensorArray(tf.int32, 0, dynamic_size=True, infer_shape=False, element_shape=[None])

    def chunk(at: tf.Tensor, log_probs: tf.TensorArray, ranks: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray, tf.TensorArray]:
        chunk_targets = targets[at : at + CHUNK]
        logits = tf.matmul(features[at : at + CHUNK], kernel) + bias
        target_logits = tf.gather(logits, chunk_targets, batch_dims=1)
        log_prob = target_logits - tf.reduce_logsumexp(logits, axis=1)
        rank = tf.math.count_nonzero(logits > target_logits[:, None], axis=1, dtype=tf.int32)
        is_target = chunk_targets != PAD
        index = at // CHUNK
        return (
            at + CHUNK,
            log_probs.write(index, tf.where(is_target, log_prob, 0.0)),
            ranks.write(index, tf.where(is_target, rank, -1)),
        )

    _, log_probs, ranks = tf.while_loop(lambda at, *_: at < rows, chunk, (tf.constant(0), log_probs, ranks), parallel_iterations=1)
    return log_probs.concat(), ranks.concat()
