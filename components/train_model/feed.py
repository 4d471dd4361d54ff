"""From documents to batches of token windows (DATA-7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from robo_poet.atomic import new_file
from robo_poet.model.tokenizer import PAD, Tokenizer

SHUFFLE_BUFFER = 10_000
IDS = np.uint16  # the vocabulary is at most 10,000


@dataclass(frozen=True)
class Feed:
    """A split as one array of token ids and the windows over it.

    Attributes:
        tokens: all documents, each `<START> … <END>`, back to back, `[n]` uint16, memory-mapped.
        starts: first token of each window, `[windows]`.
        ends: first position after the document of each window, `[windows]`.
        window: input tokens a window; the target is the same span one token later.
    """

    tokens: npt.NDArray[np.uint16]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    window: int

    def __len__(self) -> int:
        return len(self.starts)

    def batches(self, size: int) -> int:
        """Batches an epoch, the last one possibly smaller."""
        return -(-len(self) // size)

    def gather(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Inputs and targets of windows `rows`, each `[len(rows), window]` int32, post-padded with PAD."""
        at = self.starts[rows, None] + np.arange(self.window + 1)
        inside = at < self.ends[rows, None]
        span = np.where(inside, self.tokens[np.minimum(at, len(self.tokens) - 1)], PAD).astype(np.int32)
        inputs, targets = span[:, :-1], span[:, 1:]
        # A last input whose target is padding teaches nothing and would only differ from the padding after it.
        return np.where(targets == PAD, PAD, inputs), targets

    def epoch(self, size: int, *, seed: int, epoch: int, skip: int = 0) -> tf.data.Dataset:
        """Batches of one epoch, shuffled by (seed, epoch) alone, from batch `skip` on: a resumed training sees the same order."""
        options = tf.data.Options()
        options.deterministic = True
        mixed = int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])
        order = tf.data.Dataset.range(len(self)).shuffle(SHUFFLE_BUFFER, seed=mixed, reshuffle_each_iteration=False)
        return self._load(order.batch(size).skip(skip)).with_options(options)

    def in_order(self, size: int) -> tf.data.Dataset:
        """All batches, in the order of the text."""
        return self._load(tf.data.Dataset.range(len(self)).batch(size))

    def _load(self, rows: tf.data.Dataset) -> tf.data.Dataset:
        def load(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            inputs, targets = tf.numpy_function(self.gather, [batch], [tf.int32, tf.int32])
            shape = [None, self.window]
            return tf.ensure_shape(inputs, shape), tf.ensure_shape(targets, shape)

        return rows.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def window_starts(length: int, window: int, stride: int) -> list[int]:
    """Starts of the windows over a document of `length` tokens, so that each token but the first is a target at least once."""
    starts = list(range(0, max(1, length - 1), stride))
    while len(starts) > 1 and starts[-2] + window >= length - 1:
        starts.pop()  # the window before already reaches the end
    return starts


def make_feed(texts: Iterable[str], tokenizer: Tokenizer, *, window: int, stride: int, cache: Path) -> Feed:
    """Encode `texts` into the file `cache` and lay windows over them.

    Args:
        stride: tokens between the starts of two windows, ≤ window, so that no token is left out.
    """
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    with new_file(cache) as beside, beside.open("wb") as file:  # never truncated under a map of it
        for text in texts:
            ids = tokenizer.encode_document(text)
            file.write(np.asarray(ids, IDS).tobytes())
            starts += [position + s for s in window_starts(len(ids), window, stride)]
            ends += [position + len(ids)] * (len(starts) - len(ends))
            position += len(ids)
    tokens = np.memmap(cache, IDS, mode="r") if position else np.zeros(0, IDS)
    return Feed(tokens, np.asarray(starts, np.int64), np.asarray(ends, np.int64), window)
