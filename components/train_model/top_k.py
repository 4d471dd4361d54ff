"""The largest of many numbers, found as in a tournament: what `generate_xla` selects tokens with."""

import tensorflow as tf

GROUP = 10  # of 5, 10 and 20 the quickest for 50 and for 100 of 10,000


def tournament(values: tf.Tensor, k: int) -> tuple[tf.Tensor, tf.Tensor]:
    """As `tf.math.top_k`, but for the order of equal numbers: the same values, and places that hold them.

    On a CPU, XLA's own `TopK` goes through a row once with a heap of `k`. Each number that enters it costs some mispredicted branches,
    and of 10,000 in no order some 460 do: 41 of the 173 µs that MODEL-1 took for a token. Here only groups' largest numbers meet, by
    the same rule, until few are left. Of the `k` best groups their largest come first and fill the heap, so that hardly another enters.
    No number outside these groups can be among the `k`: 13 µs for 50.

    Args:
        values: `[batch, width]` float32, width static.

    Returns:
        Values, the largest first, and their places: `[batch, k]` float32 and int32.
    """
    width = values.shape[1]
    groups = -(-width // GROUP)
    if groups <= k:  # every group would be among the best
        return tuple(tf.math.top_k(values, k=k))
    values = tf.pad(values, [[0, 0], [0, groups * GROUP - width]], constant_values=-float("inf"))
    grid = tf.reshape(values, [-1, GROUP, groups])  # a group is a column: maxima of whole rows are vector instructions
    peak, column = tournament(tf.reduce_max(grid, axis=1), k)
    members = tf.gather(grid, column, axis=2, batch_dims=1)
    row = tf.argmax(tf.cast(members == peak[:, None], tf.int32), axis=1, output_type=tf.int32)
    rows = tf.range(GROUP)[None, :, None]
    others = tf.where(rows == row[:, None], -float("inf"), members)  # but for the one that stands for them
    found, at = tf.math.top_k(tf.concat([peak, tf.reshape(others, [-1, GROUP * k])], axis=1), k=k)
    places = tf.concat([row * groups + column, tf.reshape(rows * groups + column[:, None], [-1, GROUP * k])], axis=1)
    return found, tf.minimum(tf.gather(places, at, batch_dims=1), width - 1)
