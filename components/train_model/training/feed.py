"""Batches of token windows over the documents of a split (DATA-7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from robo_poet.atomic import new_file
from robo_poet.model.tokenizer import PAD, Tokenizer

SHUFFLE_BUFFER = 10_000
ID_DTYPE = np.uint16  # the vocabulary is at most 10,000


@dataclass(frozen=True)
class Feed:
    """A split as one array of token ids and the windows over it.

    Attributes:
        tokens: all documents, each `<START> … <END>`, concatenated, `[n]` uint16, memory-mapped.
        starts: position of the first token of each window, `[windows]` int64.
        ends: end (exclusive) of the document of each window, `[windows]` int64.
        window: input tokens per window; the targets are the inputs shifted by one token.
    """

    tokens: npt.NDArray[np.uint16]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    window: int

    def __len__(self) -> int:
        return len(self.starts)

    def batches(self, size: int) -> int:
        """Return the number of batches per epoch. The last one may be smaller."""
        return -(-len(self) // size)

    def gather(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return inputs and targets of the windows `rows`, `[len(rows), window]` int32 each, post-padded with PAD."""
        positions = self.starts[rows, None] + np.arange(self.window + 1)
        inside = positions < self.ends[rows, None]
        span = np.where(inside, self.tokens[np.minimum(positions, len(self.tokens) - 1)], PAD).astype(np.int32)
        inputs, targets = span[:, :-1], span[:, 1:]
        # An input whose target is PAD does not contribute to the loss. It becomes PAD too.
        return np.where(targets == PAD, PAD, inputs), targets

    def epoch(self, size: int, *, seed: int, epoch: int, skip: int = 0) -> tf.data.Dataset:
        """Return the batches of one epoch from batch `skip` on.

        The order depends only on (seed, epoch), so that a resumed training sees the same batches.
        """
        options = tf.data.Options()
        options.deterministic = True
        shuffle_seed = int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
        order = tf.data.Dataset.range(len(self)).shuffle(SHUFFLE_BUFFER, seed=shuffle_seed, reshuffle_each_iteration=False)
        return self._load(order.batch(size).skip(skip)).with_options(options)

    def in_order(self, size: int) -> tf.data.Dataset:
        """Return all batches in the order of the text."""
        return self._load(tf.data.Dataset.range(len(self)).batch(size))

    def _load(self, rows: tf.data.Dataset) -> tf.data.Dataset:
        def load(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            inputs, targets = tf.numpy_function(self.gather, [batch], [tf.int32, tf.int32])
            shape = [None, self.window]
            return tf.ensure_shape(inputs, shape), tf.ensure_shape(targets, shape)

        return rows.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def window_starts(length: int, window: int, stride: int) -> list[int]:
    """Return the starts of the windows over a document of `length` tokens.

    Each token except the first is a target at least once.
    """
    starts = list(range(0, max(1, length - 1), stride))
    while len(starts) > 1 and starts[-2] + window >= length - 1:
        starts.pop()  # the previous window already reaches the end
    return starts


def make_feed(texts: Iterable[str], tokenizer: Tokenizer, *, window: int, stride: int, cache: Path) -> Feed:
    """Encode `texts` into the file `cache` and return the windows over them.

    Args:
        texts: the documents.
        tokenizer: encodes a document as `<START> … <END>`.
        window: input tokens per window.
        stride: tokens between the starts of two windows. It must be at most `window`; otherwise tokens are skipped.
        cache: file for the token ids, uint16.
    """
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    with new_file(cache) as temporary, temporary.open("wb") as file:  # a new file, because the old one may still be memory-mapped
        for text in texts:
            ids = tokenizer.encode_document(text)
            file.write(np.asarray(ids, ID_DTYPE).tobytes())
            starts += [position + start for start in window_starts(len(ids), window, stride)]
            ends += [position + len(ids)] * (len(starts) - len(ends))
            position += len(ids)
    tokens = np.memmap(cache, ID_DTYPE, mode="r") if position else np.zeros(0, ID_DTYPE)
    return Feed(tokens, np.asarray(starts, np.int64), np.asarray(ends, np.int64), window)
