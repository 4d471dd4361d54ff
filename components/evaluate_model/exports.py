"""Measurements of a model's exports: the compressed size of the SavedModel and the quality loss of the TFLite model (REG-3)."""

import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from robo_poet.model.batch import WINDOW
from robo_poet.model.edge import EdgeModel
from robo_poet.model.saved_model import LoadedModel
from robo_poet.model.tokenizer import PAD

CHUNK_BYTES = 1 << 20
GZIP_LEVEL, GZIP_WBITS = 6, 31  # the default compression level of gzip; `wbits` of a gzip stream


def compressed_bytes(folder: Path) -> int:
    """Return the size in bytes of all files of `folder` as one gzip stream, without names, owners and times. No file is written."""
    stream = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WBITS)
    size = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    size += len(stream.compress(chunk))
    return size + len(stream.flush())


def measure_edge_loss(
    full: LoadedModel, edge: EdgeModel, test: Sequence[str], *, tokens: int, batch: int, seed: int, say: Callable[[int, int], None]
) -> float:
    """Return the relative increase in bits per byte of the edge model: 0.01 is 1 % more bits, below 0 is fewer.

    Both models score the same seeded windows of `test`, about `tokens` tokens in all, each from an initial state. The edge model
    reads the windows token by token. Both models score the same bytes, so the ratio of bits per byte is the ratio of the summed log
    probabilities.

    Args:
        batch: windows per call of the full model.
        say: progress callback, called with the number of scored tokens and of all.
    """
    documents = [full.tokenizer.encode_document(text) for text in test]
    windows = sample_windows(documents, tokens, seed)
    rows: npt.NDArray[np.int32] = np.full((batch, WINDOW), PAD, np.int32)  # the shape of all scoring calls, so TensorFlow does not retrace
    nats = nats_edge = 0.0
    total, done = sum(len(window) - 1 for window in windows), 0
    for first in range(0, len(windows), batch):
        rows[:] = PAD
        for row, window in enumerate(windows[first : first + batch]):
            rows[row, : len(window)] = window
        nats -= float(full.score(tokens=rows)["log_prob"].numpy().sum(dtype=np.float64))
    for window in windows:
        edge.reset()
        for token, following in pairwise(window):
            nats_edge -= _log_prob(edge.read(token), following)
        done += len(window) - 1
        say(done, total)
    return nats_edge / nats - 1


def sample_windows(documents: Sequence[Sequence[int]], tokens: int, seed: int) -> list[Sequence[int]]:
    """Draw windows of at most 256 tokens without replacement, until they hold `tokens` predicted tokens or no window is left."""
    starts = [(document, start) for document in documents for start in range(0, len(document) - 1, WINDOW - 1)]
    windows: list[Sequence[int]] = []
    left = tokens
    for index in np.random.default_rng(seed).permutation(len(starts)):
        document, start = starts[index]
        window = document[start : start + min(WINDOW, left + 1)]
        windows.append(window)
        left -= len(window) - 1
        if left <= 0:
            break
    return windows


def _log_prob(logits: npt.NDArray[np.float32], token: int) -> float:
    """Return the natural log probability of `token` under (vocabulary,) logits."""
    maximum = logits.max()
    return float(logits[token] - maximum - np.log(np.exp(logits - maximum).sum(dtype=np.float64)))
