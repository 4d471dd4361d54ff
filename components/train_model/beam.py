"""Beam search inside the graph (GEN-1)."""

from typing import Any

import keras
import tensorflow as tf

from components.train_model.architecture import Architecture
from components.train_model.decode import read_prompts
from components.train_model.request import Request
from components.train_model.sampler import penalise
from robo_poet.model.limits import MAX_BEAMS, MAX_LENGTH, StopReason
from robo_poet.model.tokenizer import END, PAD

WORST = -1e30  # below any sum of log probabilities; with −inf, differences would be NaN


def length_factor(length: tf.Tensor, penalty: tf.Tensor) -> tf.Tensor:
    """Return the divisor of a sum of log probabilities: ((5 + length) / 6)^penalty (Wu et al. 2016, eq. 14)."""
    return tf.pow((5.0 + tf.cast(length, tf.float32)) / 6.0, penalty)


def beam_search(
    architecture: Architecture, model: keras.Model, request: Request, beams: tf.Tensor, length_penalty: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the best continuation of each prompt, searched with `beams` unfinished hypotheses per row. One beam is greedy search.

    In each step, hypotheses that end and are among the best `beams` candidates are finished. The best `beams` of the others continue. A
    row is done when `beams` hypotheses are finished. It is also done at its maximum length; then unfinished hypotheses count too.

    Args:
        architecture: the architecture of `model`.
        model: the language model.
        request: prompts and constraints.
        beams: `[batch]` int32, 1 to MAX_BEAMS.
        length_penalty: `[batch]` float32; 0 compares sums of log probabilities, 1 compares approximately means.

    Returns:
        tokens: `[batch, MAX_LENGTH]` int32: the continuation at its positions in the text, PAD elsewhere.
        score: `[batch]` float32: sum of log probabilities divided by the length factor.
        reason: `[batch]` int32, a `StopReason`.
    """
    batch = tf.shape(request.prompt)[0]
    kernel, bias = architecture.head(model)
    vocabulary = kernel.shape[1]
    width = MAX_BEAMS
    rank = tf.range(width)[None]
    state, at = read_prompts(architecture, model, request)
    state = architecture.select(state, tf.repeat(tf.range(batch), width))
    current = tf.repeat(tf.gather(request.prompt, at, axis=1), width)
    at += 1
    last = tf.reduce_max(request.stop)
    spread = Spread(request, width)
    # At the first token all beams of a row are equal, so only the first beam may branch.
    first = tf.where(rank == 0, 0.0, WORST) + tf.zeros([batch, 1])
    alive, seen = first, spread.seen
    texts = tf.zeros([batch, width, MAX_LENGTH], tf.int32)
    best = tf.fill([batch], WORST)
    best_text = tf.zeros([batch, MAX_LENGTH], tf.int32)
    reason = tf.fill([batch], int(StopReason.LENGTH))
    finished = tf.zeros([batch], tf.int32)
    while at < last and not tf.reduce_all((finished >= beams) | (at >= request.stop)):
        features, state = architecture.step(model, current, state, at - 1)
        logits = tf.matmul(features, kernel) + bias
        may_end = at >= request.may_end
        no_end = tf.one_hot(END, vocabulary, WORST, 0.0)
        allowed = penalise(logits, seen, spread.penalty) - tf.reduce_logsumexp(logits, axis=1, keepdims=True)
        allowed += tf.maximum(spread.mask, WORST) + tf.where(tf.repeat(may_end, width)[:, None], 0.0, no_end)
        totals = tf.reshape(allowed, [batch, width, vocabulary]) + alive[:, :, None]
        value, place = tf.math.top_k(tf.reshape(totals, [batch, width * vocabulary]), k=2 * width)
        origin, token = place // vocabulary, place % vocabulary

        running = (at >= request.prompt_length) & (at < request.stop) & (finished < beams)
        ending = may_end[:, None] & tf.gather(request.ends, token, batch_dims=1)
        among = tf.range(2 * width)[None] < beams[:, None]
        # Compare hypotheses that end in this step with the best finished one so far.
        length = at - request.prompt_length + 1
        done = ending & among & running[:, None] & (value > WORST / 2)
        lengths = tf.where(token == END, length[:, None] - 1, length[:, None])
        scores = tf.where(done, value / length_factor(lengths, length_penalty[:, None]), WORST)
        leader = tf.argmax(scores, axis=1, output_type=tf.int32)
        score = tf.gather(scores, leader, batch_dims=1)
        by = tf.gather(token, leader, batch_dims=1)
        text = _write(tf.gather(texts, tf.gather(origin, leader, batch_dims=1), batch_dims=1), at, tf.where(by == END, PAD, by))
        better = score > best
        best, best_text = tf.where(better, score, best), tf.where(better[:, None], text, best_text)
        reason = tf.where(better, tf.where(by == END, int(StopReason.END), int(StopReason.STOP)), reason)
        finished += tf.reduce_sum(tf.cast(done, tf.int32), axis=1)

        # Continue the best hypotheses that do not end.
        following, kept = tf.math.top_k(tf.where(ending, 2 * WORST, value), k=width)
        following = tf.where((rank < beams[:, None]) & (following > WORST / 2), following, WORST)
        origin, token = tf.gather(origin, kept, batch_dims=1), tf.gather(token, kept, batch_dims=1)
        given = at < request.prompt_length
        origin = tf.where(running[:, None], origin, rank)
        token = tf.where(given[:, None], tf.gather(request.prompt, at, axis=1)[:, None], tf.where(running[:, None], token, PAD))
        alive = tf.where(running[:, None], following, tf.where(given[:, None], first, alive))
        texts = tf.gather(texts, origin, batch_dims=1)
        texts = _write(texts, at, tf.where(running[:, None], token, texts[:, :, at]))
        rows = tf.reshape(tf.range(batch)[:, None] * width + origin, [-1])
        state, current = architecture.select(state, rows), tf.reshape(token, [-1])
        seen = tf.gather(seen, rows) | (tf.one_hot(current, vocabulary, True, False, dtype=tf.bool) & tf.repeat(running, width)[:, None])
        at += 1
    # At the maximum length, unfinished hypotheses count too.
    scores = alive / length_factor(request.stop - request.prompt_length, length_penalty)[:, None]
    leader = tf.argmax(scores, axis=1, output_type=tf.int32)
    score = tf.gather(scores, leader, batch_dims=1)
    better = (finished < beams) & (score > best)
    reason = tf.where(better, int(StopReason.LENGTH), reason)
    return tf.where(better[:, None], tf.gather(texts, leader, batch_dims=1), best_text), tf.where(better, score, best), reason


class Spread:
    """The per-row tensors of a request, repeated for each beam: `[batch · width, …]`."""

    def __init__(self, request: Request, width: int) -> None:
        self.seen, self.mask, self.penalty = (tf.repeat(x, width, axis=0) for x in (request.seen, request.mask, request.penalty))


def _write(texts: tf.Tensor, at: Any, token: tf.Tensor) -> tf.Tensor:
    """Return `texts` `[…, MAX_LENGTH]` with `token` `[…]` at position `at`."""
    return tf.where(tf.range(MAX_LENGTH) == at, token[..., None], texts)
