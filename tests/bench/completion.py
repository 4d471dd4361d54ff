"""The completion that all benchmarks write."""

import tensorflow as tf

VOCABULARY, PROMPT, NEW = 10_000, 8, 100
TOP_K, TOP_P, TEMPERATURE = 50, 0.9, 0.8


def asked(rows: int, new: int = NEW) -> dict[str, tf.Tensor]:
    """The inputs of `generate`; the shortest length is the longest too, so that every row writes all tokens."""
    return {
        "prompt": tf.tile(tf.range(10, 10 + PROMPT)[None], [rows, 1]), "prompt_length": tf.fill([rows], PROMPT),
        "max_new": tf.fill([rows], new), "min_new": tf.fill([rows], new), "repetition_penalty": tf.ones([rows]),
        "stop_tokens": tf.zeros([rows, 1], tf.int32), "banned_tokens": tf.zeros([rows, 1], tf.int32),
        "temperature": tf.fill([rows], TEMPERATURE), "top_k": tf.fill([rows], TOP_K), "top_p": tf.fill([rows], TOP_P),
        "seed": tf.range(rows, dtype=tf.int64),
    }  # fmt: skip
