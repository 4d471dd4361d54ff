"""Beam search, inside the graph (GEN-1)."""

from typing import Any

import keras
import tensorflow as tf

from components.train_model.architecture import Architecture
from components.train_model.decode import read_prompts
from components.train_model.request import Request
from components.train_model.sampler import penalise
from robo_poet.model.limits import MAX_BEAMS, MAX_LENGTH, StopReason
from robo_poet.model.tokenizer import END, PAD

WORST = -1e30  # a sum of log-probabilities that no text has; −inf would make NaN of differences


def length_factor(length: tf.Tensor, penalty: tf.Tensor) -> tf.Tensor:
    """What a sum of log-probabilities is divided by: ((5 + length) / 6)^penalty (Wu et al. 2016, eq. 14)."""
    return tf.pow((5.0 + tf.cast(length, tf.float32)) / 6.0, penalty)


def beam_search(
    architecture: Architecture, model: keras.Model, request: Request, beams: tf.Tensor, length_penalty: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The best continuation found, keeping `beams` unfinished ones a row. One beam is greedy search.

    Of the candidates of a step, those among the best `beams` that end are finished; the best `beams` of the others go on. A row is
    done when it has as many finished ones as beams, or its length is used up, and then the unfinished ones count too.

    Args:
        beams: `[batch]` int32, 1 to 5.
        length_penalty: `[batch]` float32; 0 compares sums, 1 all but means.

    Returns:
        tokens: `[batch, MAX_LENGTH]` int32: the continuation where it stands in the whole text, PAD elsewhere.
        score: `[batch]` float32: its sum of log-probabilities over the length factor.
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
    # At a row's first token all its beams are the same: only the first may branch.
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
        # What ends now, and is among the best: its score is compared with the best finished one so far.
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

        # The best of those that do not end go on.
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
    # Where the length was used up, what had not ended counts too.
    scores = alive / length_factor(request.stop - request.prompt_length, length_penalty)[:, None]
    leader = tf.argmax(scores, axis=1, output_type=tf.int32)
    score = tf.gather(scores, leader, batch_dims=1)
    better = (finished < beams) & (score > best)
    reason = tf.where(better, int(StopReason.LENGTH), reason)
    return tf.where(better[:, None], tf.gather(texts, leader, batch_dims=1), best_text), tf.where(better, score, best), reason


class Spread:
    """What of a request belongs to a row, repeated for each of its beams."""

    def __init__(self, request: Request, width: int) -> None:
        self.seen, self.mask, self.penalty = (tf.repeat(x, width, axis=0) for x in (request.seen, request.mask, request.penalty))


def _write(texts: tf.Tensor, at: Any, token: tf.Tensor) -> tf.Tensor:
    """`texts` `[…, MAX_LENGTH]` with `token` `[…]` at place `at`."""
    return tf.where(tf.range(MAX_LENGTH) == at, token[..., None], texts)
