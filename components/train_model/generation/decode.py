"""The sampling loop inside the graph: one call generates a whole completion (GEN-1, GEN-2, contract 6)."""

from typing import Any

import keras
import tensorflow as tf

from components.train_model.architectures.architecture import Architecture
from components.train_model.generation.request import Request
from components.train_model.generation.sampler import penalise, sample, uniform
from robo_poet.model.completion import MAX_LENGTH, StopReason
from robo_poet.model.tokenizer import END, PAD


def read_prompts(architecture: Architecture, model: keras.Model, request: Request) -> tuple[Any, tf.Tensor]:
    """Process the positions that all prompts cover, up to the last token of the shortest one.

    It computes no logits, because they are most of the work of a step.

    Returns:
        The state after these positions, and their number (scalar int32).
    """
    state = architecture.init_state(model, tf.shape(request.prompt)[0])
    shared = tf.reduce_min(request.prompt_length) - 1
    position = tf.constant(0)
    while position < shared:
        _, state = architecture.step(model, request.prompt[:, position], state, position)
        position += 1
    return state, position


def decode(
    architecture: Architecture, model: keras.Model, request: Request,
    temperature: tf.Tensor, top_k: tf.Tensor, top_p: tf.Tensor, seed: tf.Tensor, *, select: Any = tf.math.top_k,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:  # fmt: skip
    """Continue each prompt by sampling. Runs with and without XLA.

    Args:
        architecture: the architecture of `model`.
        model: the language model.
        request: prompts and constraints.
        temperature, top_k, top_p, select: see `sample`.
        seed: `[batch]` int64.

    Returns:
        tokens: `[batch, MAX_LENGTH]` int32: the continuation at its positions in the text, PAD elsewhere.
        log_prob: `[batch, MAX_LENGTH]` float32: log probability of each token in nats, from the unmodified logits.
        reason: `[batch]` int32, a `StopReason`.
    """
    batch = tf.shape(request.prompt)[0]
    kernel, bias = architecture.head(model)
    state, position = read_prompts(architecture, model, request)
    current = tf.gather(request.prompt, position, axis=1)
    position += 1
    last = tf.reduce_max(request.end_position)
    ended = tf.zeros([batch], tf.bool)
    reason = tf.fill([batch], int(StopReason.LENGTH))
    seen = request.seen
    rows = tf.range(batch)
    tokens = tf.TensorArray(tf.int32, MAX_LENGTH, element_shape=[None])
    log_probs = tf.TensorArray(tf.float32, MAX_LENGTH, element_shape=[None])
    while position < last and not tf.reduce_all(ended | (position >= request.end_position)):
        features, state = architecture.step(model, current, state, position - 1)
        logits = tf.matmul(features, kernel) + bias
        may_end = position >= request.first_end_position
        no_end = tf.one_hot(END, logits.shape[1], -float("inf"), 0.0)
        allowed_logits = penalise(logits, seen, request.penalty) + request.mask + tf.where(may_end[:, None], 0.0, no_end)
        sampled = sample(allowed_logits, temperature, top_k, top_p, uniform(seed, position), select)
        in_prompt = position < request.prompt_length
        running = ~in_prompt & ~ended & (position < request.end_position)
        written = running & (sampled != END)
        stops = running & may_end & tf.gather(request.end_tokens, sampled, batch_dims=1)
        reason = tf.where(stops, tf.where(sampled == END, int(StopReason.END), int(StopReason.STOP)), reason)
        ended |= stops
        sampled = tf.where(written, sampled, PAD)
        log_prob = tf.gather(logits, sampled, batch_dims=1) - tf.reduce_logsumexp(logits, axis=1)
        tokens = tokens.write(position, sampled)
        log_probs = log_probs.write(position, tf.where(written, log_prob, 0.0))
        seen = tf.tensor_scatter_nd_update(seen, tf.stack([rows, sampled], axis=1), tf.ones([batch], tf.bool))
        current = tf.where(in_prompt, tf.gather(request.prompt, position, axis=1), sampled)
        position += 1
    return tf.transpose(tokens.stack()), tf.transpose(log_probs.stack()), reason
