"""Cross-entropy over the tokens that are not padding (TRAIN-2)."""

import tensorflow as tf

from robo_poet.model.tokenizer import PAD


def cross_entropy(targets: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.0) -> tuple[tf.Tensor, tf.Tensor]:
    """Sum of the (label-smoothed) cross-entropy in nats over targets that are not PAD, and how many there are.

    Smoothing ε mixes the target with the uniform distribution: (1−ε)·(−log p(target)) + ε·mean(−log p), Szegedy et al. 2016,
    which with z the logits is logsumexp(z) − (1−ε)·z[target] − ε·mean(z).

    Args:
        targets: `[batch, time]` int32.
        logits: `[batch, time, vocabulary]` float32.
    """
    chosen = tf.gather(logits, targets, batch_dims=2)
    nats = tf.reduce_logsumexp(logits, axis=-1) - (1.0 - smoothing) * chosen
    if smoothing:
        nats -= smoothing * tf.reduce_mean(logits, axis=-1)
    mask = tf.cast(targets != PAD, logits.dtype)
    return tf.reduce_sum(nats * mask), tf.reduce_sum(mask)
