"""A generation request: validates the inputs of a call and prepares them for the loops of sampling and beam search."""

from typing import NamedTuple

import tensorflow as tf

from robo_poet.model.completion import MAX_LENGTH
from robo_poet.model.tokenizer import END, PAD


class Request(NamedTuple):
    """A batch of prompts and the constraints on their continuations.

    Attributes:
        prompt: `[batch, MAX_LENGTH]` int32, post-padded. The width is fixed, so that one compiled loop serves prompts of any length.
        prompt_length: `[batch]` int32.
        end_position: `[batch]` int32, end (exclusive) of the row's positions.
        first_end_position: `[batch]` int32, first position at which `<END>` or a stop token may end the row.
        mask: `[batch, vocabulary]` float32, −inf for banned tokens, 0 for others.
        end_tokens: `[batch, vocabulary]` bool, True for tokens that end a row: stop tokens and `<END>`.
        seen: `[batch, vocabulary]` bool, True for tokens of the prompt.
        penalty: `[batch]` float32, repetition penalty.
    """

    prompt: tf.Tensor
    prompt_length: tf.Tensor
    end_position: tf.Tensor
    first_end_position: tf.Tensor
    mask: tf.Tensor
    end_tokens: tf.Tensor
    seen: tf.Tensor
    penalty: tf.Tensor


def make_request(
    prompt: tf.Tensor, prompt_length: tf.Tensor, max_new: tf.Tensor, min_new: tf.Tensor, penalty: tf.Tensor,
    stop_tokens: tf.Tensor, banned_tokens: tf.Tensor, *, size: int, vocabulary: int,
) -> Request:  # fmt: skip
    """Validate the inputs of a call and return them as a `Request`.

    Args:
        prompt: `[batch, time]` int32, post-padded.
        prompt_length, max_new, min_new: `[batch]` int32.
        penalty: `[batch]` float32.
        stop_tokens, banned_tokens: `[batch, any]` int32, filled up with PAD.
        size: number of tokens of the tokenizer (DATA-5).
        vocabulary: width of the model's logits.

    Raises:
        tf.errors.InvalidArgumentError: an input is out of range; raised when the graph runs, and the message names the input.
    """
    time = tf.shape(prompt)[1]
    max_prompt_length = tf.minimum(time, MAX_LENGTH - 1)
    checks = [
        tf.debugging.assert_equal(tf.reduce_all(valid), True, message=message)
        for valid, message in (
            (
                (prompt_length >= 1) & (prompt_length <= max_prompt_length),
                f"prompt_length: must be 1 to {MAX_LENGTH - 1} and at most the width of prompt",
            ),
            ((prompt >= 0) & (prompt < size), f"prompt: unknown token id, the valid ids are 0 to {size - 1}"),
            ((stop_tokens >= 0) & (stop_tokens < size), f"stop_tokens: unknown token id, the valid ids are 0 to {size - 1}"),
            ((banned_tokens >= 0) & (banned_tokens < size), f"banned_tokens: unknown token id, the valid ids are 0 to {size - 1}"),
            (
                (max_new >= 1) & (min_new >= 0) & (min_new <= max_new),
                "max_new: must be at least 1 and at least min_new; min_new must be at least 0",
            ),
            ((penalty >= 1) & (penalty <= 10), "repetition_penalty: must be 1 to 10"),
        )
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):  # before a token is used as an index
        prompt, stop_tokens, banned_tokens = (tf.identity(tokens) for tokens in (prompt, stop_tokens, banned_tokens))
    batch = tf.shape(prompt)[0]
    width = tf.minimum(time, MAX_LENGTH)
    prompt = tf.ensure_shape(tf.pad(prompt[:, :width], [[0, 0], [0, MAX_LENGTH - width]]), [None, MAX_LENGTH])
    prompt_tokens = tf.where(tf.range(MAX_LENGTH)[None] < prompt_length[:, None], prompt, PAD)
    end = tf.one_hot(END, vocabulary, True, False, dtype=tf.bool)
    never_allowed = tf.constant([i < END or i >= size for i in range(vocabulary)])  # PAD, UNK, START and ids without a token
    banned = _token_mask(banned_tokens, batch, vocabulary) & ~end | never_allowed
    any_allowed = tf.reduce_all(tf.reduce_any(~(banned | end), axis=1))
    check = tf.debugging.assert_equal(any_allowed, True, message="banned_tokens: every token is banned")
    with tf.control_dependencies([check] if check is not None else []):
        banned = tf.identity(banned)
    return Request(
        prompt=prompt,
        prompt_length=prompt_length,
        end_position=tf.minimum(prompt_length + max_new, MAX_LENGTH),
        first_end_position=prompt_length + min_new,
        mask=tf.where(banned, -float("inf"), 0.0),
        end_tokens=_token_mask(stop_tokens, batch, vocabulary) | end,
        seen=_token_mask(prompt_tokens, batch, vocabulary),
        penalty=penalty,
    )


def _token_mask(tokens: tf.Tensor, batch: tf.Tensor, vocabulary: int) -> tf.Tensor:
    """Return `[batch, vocabulary]` bool: True for each token in `tokens` `[batch, any]`, except PAD."""
    rows = tf.repeat(tf.range(batch), tf.shape(tokens)[1])
    indices = tf.stack([rows, tf.reshape(tokens, [-1])], axis=1)
    contained = tf.tensor_scatter_nd_update(tf.zeros([batch, vocabulary], tf.bool), indices, tf.ones_like(rows, tf.bool))
    return contained & ~tf.one_hot(PAD, vocabulary, True, False, dtype=tf.bool)
