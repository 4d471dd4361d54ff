"""Projection onto the vocabulary and log probabilities of given targets, for one chunk of rows at a time (EVAL-1).

The logits of 32×512 tokens over a vocabulary of 10,000 would take 0.7 GB, and each further operation on them as much again.
"""

import tensorflow as tf

from robo_poet.model.tokenizer import PAD

CHUNK = 400  # rows: 16 MB of logits at 10,000 tokens, as in the loss


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
        return at + CHUNK, log_probs.write(index, tf.where(is_target, log_prob, 0.0)), ranks.write(index, tf.where(is_target, rank, -1))

    _, log_probs, ranks = tf.while_loop(lambda at, *_: at < rows, chunk, (tf.constant(0), log_probs, ranks), parallel_iterations=1)
    return log_probs.concat(), ranks.concat()
