"""Sampling of the next token inside the graph (GEN-1): noise, repetition penalty, temperature, top-k and top-p.

Every option has one value per row, and so has the random noise.
"""

from collections.abc import Callable

import tensorflow as tf

from robo_poet.model.completion import MAX_TOP_K

GROUP_SIZE = 10  # fastest of 5, 10 and 20, for the top 50 and the top 100 of 10,000


def tournament_top_k(values: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the `k` largest values and their indices. The result is that of `tf.math.top_k`, except for the order of equal values.

    On a CPU, XLA's `TopK` scans a row once with a heap of `k` values. Each value that enters the heap causes mispredicted branches. About
    460 of 10,000 values in random order enter. This takes 41 µs of the 173 µs per token of MODEL-1. This function takes 13 µs for `k` = 50:

    1. Split the row into groups and select the `k` groups with the largest maxima, recursively. No other group can hold a top-k value.
    2. Run `top_k` on the values of these groups, maxima first. The maxima fill the heap, so that few other values enter.

    Args:
        values: `[batch, width]` float32, width static.
        k: number of values.

    Returns:
        Values in descending order and their indices: `[batch, k]` float32 and int32.
    """
    width = values.shape[1]
    groups = -(-width // GROUP_SIZE)
    if groups <= k:  # every group would be selected
        return tuple(tf.math.top_k(values, k=k))
    values = tf.pad(values, [[0, 0], [0, groups * GROUP_SIZE - width]], constant_values=-float("inf"))
    grid = tf.reshape(values, [-1, GROUP_SIZE, groups])  # a group is a column, so that the maxima use vector instructions
    peak, column = tournament_top_k(tf.reduce_max(grid, axis=1), k)
    members = tf.gather(grid, column, axis=2, batch_dims=1)
    row = tf.argmax(tf.cast(members == peak[:, None], tf.int32), axis=1, output_type=tf.int32)
    rows = tf.range(GROUP_SIZE)[None, :, None]
    rest = tf.where(rows == row[:, None], -float("inf"), members)  # all members except the group's maximum
    top_values, top_index = tf.math.top_k(tf.concat([peak, tf.reshape(rest, [-1, GROUP_SIZE * k])], axis=1), k=k)
    indices = tf.concat([row * groups + column, tf.reshape(rows * groups + column[:, None], [-1, GROUP_SIZE * k])], axis=1)
    return top_values, tf.minimum(tf.gather(indices, top_index, batch_dims=1), width - 1)


USUAL_TOP_K = 50  # the usual default of clients; selecting 50 is faster than selecting MAX_TOP_K


def uniform(seed: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    """Return a pseudo-random number in [0, 1) for each row. It depends only on (seed, absolute position).

    So a row's text does not depend on its batch, and a completion requested in chunks gives the same text. A stateless generator
    keyed by the whole batch would break both. The hash is the 32-bit finaliser "lowbias32" (C. Wellons, 2018), applied to the
    position and then to both halves of the seed.

    Args:
        seed: `[batch]` int64.
        position: scalar or `[batch]` int32.

    Returns:
        `[batch]` float32.
    """

    def mix(x: tf.Tensor) -> tf.Tensor:
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(16, tf.uint32))) * tf.constant(0x7FEB352D, tf.uint32)
        x = tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(15, tf.uint32))) * tf.constant(0x846CA68B, tf.uint32)
        return tf.bitwise.bitwise_xor(x, tf.bitwise.right_shift(x, tf.constant(16, tf.uint32)))

    low_bits = tf.constant(0xFFFFFFFF, tf.int64)
    low = tf.cast(tf.bitwise.bitwise_and(seed, low_bits), tf.uint32)
    high = tf.cast(tf.bitwise.bitwise_and(tf.bitwise.right_shift(seed, tf.constant(32, tf.int64)), low_bits), tf.uint32)
    x = mix(mix(mix(tf.cast(position, tf.uint32) + tf.constant(0x9E3779B9, tf.uint32)) ^ low) ^ high)
    return tf.cast(tf.bitwise.right_shift(x, tf.constant(8, tf.uint32)), tf.float32) * (2.0**-24)


def penalise(logits: tf.Tensor, seen: tf.Tensor, penalty: tf.Tensor) -> tf.Tensor:
    """Apply the repetition penalty to seen tokens: positive logits are divided by it, others multiplied (Keskar et al. 2019, CTRL).

    Args:
        logits: `[batch, vocabulary]`.
        seen: `[batch, vocabulary]` bool, tokens of the prompt and of the continuation so far.
        penalty: `[batch]` float32, ≥ 1; 1 is off. If it is 1 in all rows, the computation is skipped.

    Returns:
        `[batch, vocabulary]`.
    """
    theta = penalty[:, None]
    return tf.cond(
        tf.reduce_any(penalty != 1.0),
        lambda: tf.where(seen, tf.where(logits > 0, logits / theta, logits * theta), logits),
        lambda: logits,
    )


def sample(
    logits: tf.Tensor, temperature: tf.Tensor, top_k: tf.Tensor, top_p: tf.Tensor, noise: tf.Tensor,
    select: Callable[[tf.Tensor, int], tuple[tf.Tensor, tf.Tensor]] = tf.math.top_k,
) -> tf.Tensor:  # fmt: skip
    """Sample one token per row. Apply temperature, the `top_k` most likely tokens, and the nucleus of mass `top_p` (Holtzman et al. 2020).

    Args:
        logits: `[batch, vocabulary]`, vocabulary static; a token with −inf is never sampled.
        temperature, top_p: `[batch]` float32.
        top_k: `[batch]` int32; 1 is greedy. 0 is off: the nucleus is then exact over the whole vocabulary.
        noise: `[batch]` float32 in [0, 1). The kept tokens, most likely first, divide [0, 1) into parts in proportion to their
            probability. The sampled token is the one whose part contains the noise.
        select: `tf.math.top_k` or an equivalent function.

    Returns:
        Token ids, `[batch]` int32.
    """
    size = logits.shape[1]

    def draw(values: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        width = values.shape[1]
        limit = tf.where(top_k <= 0, width, tf.minimum(top_k, width))
        values = tf.where(tf.range(width)[None, :] < limit[:, None], values / temperature[:, None], -float("inf"))
        probabilities = tf.nn.softmax(values)
        cumulative = tf.cumsum(probabilities, axis=-1)
        preceding = tf.pad(cumulative[:, :-1], [[0, 0], [1, 0]])
        # Keep the token that crosses top_p, so that the nucleus is never empty.
        kept = tf.math.count_nonzero((preceding < top_p[:, None]) & (probabilities > 0), axis=-1, dtype=tf.int32)
        mass = tf.gather(cumulative, kept - 1, batch_dims=1)
        chosen = tf.math.count_nonzero(cumulative <= (noise * mass)[:, None], axis=-1, dtype=tf.int32)
        return tf.gather(tokens, tf.minimum(chosen, kept - 1), batch_dims=1)

    max_width = min(MAX_TOP_K, size)
    usual_width = min(USUAL_TOP_K, max_width)

    def usual_candidates() -> tuple[tf.Tensor, tf.Tensor]:
        # Pad to the width of the other branch, so that the sums of a row are bit-identical for any top_k of the other rows.
        values, tokens = select(logits, usual_width)
        padding = [[0, 0], [0, max_width - usual_width]]
        return tf.pad(values, padding, constant_values=-float("inf")), tf.pad(tokens, padding)

    return tf.cond(
        tf.reduce_any(top_k <= 0),
        lambda: draw(*tf.math.top_k(logits, k=size)),
        lambda: draw(*tf.cond(tf.reduce_max(top_k) <= usual_width, usual_candidates, lambda: tuple(select(logits, max_width)))),
    )
