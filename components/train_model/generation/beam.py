"""Beam search inside the graph (GEN-1)."""

from typing import Any

import keras
import tensorflow as tf

from components.train_model.architectures.architecture import Architecture
from components.train_model.generation.decode import read_prompts
from components.train_model.generation.request import Request
from components.train_model.generation.sampler import penalise
from robo_poet.model.completion import MAX_BEAMS, MAX_LENGTH, StopReason
from robo_poet.model.tokenizer import END, PAD

LOWEST_SCORE = -1e30  # below any sum of log probabilities; with −inf, differences would be NaN


def length_factor(length: tf.Tensor, penalty: tf.Tensor) -> tf.Tensor:
    """Return the divisor of a sum of log probabilities: ((5 + length) / 6)^penalty (Wu et al. 2016, eq. 14)."""
    return tf.pow((5.0 + tf.cast(length, tf.float32)) / 6.0, penalty)


def beam_search(
    architecture: Architecture, model: keras.Model, request: Request, beams: tf.Tensor, length_penalty: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the best continuation of each prompt, searched with `beams` unfinished hypotheses per row. One beam is greedy search.

    In each step, a hypothesis is finished if it ends and is among the best `beams` candidates. The best `beams` of the other candidates
    continue. A row is done when `beams` hypotheses are finished, or at its maximum length. At the maximum length, unfinished hypotheses
    can be the result, too.

    Args:
        architecture: the architecture of `model`.
        model: the language model.
        request: prompts and constraints.
        beams: `[batch]` int32, 1 or MIN_BEAMS to MAX_BEAMS.
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
    state, position = read_prompts(architecture, model, request)
    state = architecture.select(state, tf.repeat(tf.range(batch), width))
    current = tf.repeat(tf.gather(request.prompt, position, axis=1), width)
    position += 1
    last = tf.reduce_max(request.end_position)
    repeated_request = RepeatedRequest(request, width)
    # At the first token all beams of a row are equal, so only the first beam may branch.
    first_beam_only = tf.where(rank == 0, 0.0, LOWEST_SCORE) + tf.zeros([batch, 1])
    alive, seen = first_beam_only, repeated_request.seen
    texts = tf.zeros([batch, width, MAX_LENGTH], tf.int32)
    best = tf.fill([batch], LOWEST_SCORE)
    best_text = tf.zeros([batch, MAX_LENGTH], tf.int32)
    reason = tf.fill([batch], int(StopReason.LENGTH))
    finished = tf.zeros([batch], tf.int32)
    while position < last and not tf.reduce_all((finished >= beams) | (position >= request.end_position)):
        features, state = architecture.step(model, current, state, position - 1)
        logits = tf.matmul(features, kernel) + bias
        may_end = position >= request.first_end_position
        no_end = tf.one_hot(END, vocabulary, LOWEST_SCORE, 0.0)
        log_probs = penalise(logits, seen, repeated_request.penalty) - tf.reduce_logsumexp(logits, axis=1, keepdims=True)
        log_probs += tf.maximum(repeated_request.mask, LOWEST_SCORE) + tf.where(tf.repeat(may_end, width)[:, None], 0.0, no_end)
        totals = tf.reshape(log_probs, [batch, width, vocabulary]) + alive[:, :, None]
        total, flat_index = tf.math.top_k(tf.reshape(totals, [batch, width * vocabulary]), k=2 * width)
        origin, token = flat_index // vocabulary, flat_index % vocabulary

        running = (position >= request.prompt_length) & (position < request.end_position) & (finished < beams)
        ending = may_end[:, None] & tf.gather(request.end_tokens, token, batch_dims=1)
        within_beams = tf.range(2 * width)[None] < beams[:, None]
        # Compare hypotheses that end in this step with the best finished one so far.
        length = position - request.prompt_length + 1
        finishes = ending & within_beams & running[:, None] & (total > LOWEST_SCORE / 2)
        lengths = tf.where(token == END, length[:, None] - 1, length[:, None])
        scores = tf.where(finishes, total / length_factor(lengths, length_penalty[:, None]), LOWEST_SCORE)
        leader = tf.argmax(scores, axis=1, output_type=tf.int32)
        score = tf.gather(scores, leader, batch_dims=1)
        last_token = tf.gather(token, leader, batch_dims=1)
        candidate_text = _set_token(
            tf.gather(texts, tf.gather(origin, leader, batch_dims=1), batch_dims=1), position, tf.where(last_token == END, PAD, last_token)
        )
        better = score > best
        best, best_text = tf.where(better, score, best), tf.where(better[:, None], candidate_text, best_text)
        reason = tf.where(better, tf.where(last_token == END, int(StopReason.END), int(StopReason.STOP)), reason)
        finished += tf.reduce_sum(tf.cast(finishes, tf.int32), axis=1)

        # Continue the best hypotheses that do not end.
        next_alive, kept_index = tf.math.top_k(tf.where(ending, 2 * LOWEST_SCORE, total), k=width)
        next_alive = tf.where((rank < beams[:, None]) & (next_alive > LOWEST_SCORE / 2), next_alive, LOWEST_SCORE)
        origin, token = tf.gather(origin, kept_index, batch_dims=1), tf.gather(token, kept_index, batch_dims=1)
        in_prompt = position < request.prompt_length
        origin = tf.where(running[:, None], origin, rank)
        token = tf.where(in_prompt[:, None], tf.gather(request.prompt, position, axis=1)[:, None], tf.where(running[:, None], token, PAD))
        alive = tf.where(running[:, None], next_alive, tf.where(in_prompt[:, None], first_beam_only, alive))
        texts = tf.gather(texts, origin, batch_dims=1)
        texts = _set_token(texts, position, tf.where(running[:, None], token, texts[:, :, position]))
        rows = tf.reshape(tf.range(batch)[:, None] * width + origin, [-1])
        state, current = architecture.select(state, rows), tf.reshape(token, [-1])
        seen = tf.gather(seen, rows) | (tf.one_hot(current, vocabulary, True, False, dtype=tf.bool) & tf.repeat(running, width)[:, None])
        position += 1
    # At the maximum length, unfinished hypotheses count too.
    scores = alive / length_factor(request.end_position - request.prompt_length, length_penalty)[:, None]
    leader = tf.argmax(scores, axis=1, output_type=tf.int32)
    score = tf.gather(scores, leader, batch_dims=1)
    better = (finished < beams) & (score > best)
    reason = tf.where(better, int(StopReason.LENGTH), reason)
    return tf.where(better[:, None], tf.gather(texts, leader, batch_dims=1), best_text), tf.where(better, score, best), reason


class RepeatedRequest:
    """The per-row tensors of a request, repeated for each beam: `[batch · width, …]`."""

    def __init__(self, request: Request, width: int) -> None:
        self.seen, self.mask, self.penalty = (tf.repeat(x, width, axis=0) for x in (request.seen, request.mask, request.penalty))


def _set_token(texts: tf.Tensor, position: Any, token: tf.Tensor) -> tf.Tensor:
    """Return `texts` `[…, MAX_LENGTH]` with `token` `[…]` at `position`."""
    return tf.where(tf.range(MAX_LENGTH) == position, token[..., None], texts)
