"""Text generation from a model during training: the architecture's `step` in a Python loop, sampled on the host (TRAIN-4).

The exported `generate` is much faster, but an export takes seconds. This is for one or two texts every few hundred steps.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from components.train_model.architecture import Architecture, State
from robo_poet.model.tokenizer import END

TEMPERATURE, TOP_K = 0.8, 50


class SampleText:
    """A text generator that continues a prompt with the current weights of the model.

    Args:
        architecture: the architecture of `model`.
        model: the model in training.
        size: number of tokens of the tokenizer; higher ids are never sampled.
    """

    def __init__(self, architecture: Architecture, model: keras.Model, size: int) -> None:
        self._architecture, self._model, self._size = architecture, model, size
        self._step = tf.function(self._logits, reduce_retracing=True)  # traced only once

    def __call__(self, prompt: Sequence[int], length: int, *, seed: tuple[int, int]) -> list[int]:
        """Return at most `length` token ids that follow `prompt`, without `<END>`, where generation stops.

        `prompt` has at least one id. The result depends only on weights, prompt and seed.
        """
        generator = np.random.default_rng(seed)
        state = self._architecture.init_state(self._model, tf.constant(1))
        new_tokens: list[int] = []
        token = prompt[0]
        for position in range(len(prompt) + length - 1):
            logits, state = self._step(tf.constant([token]), state, tf.constant(position))
            if position + 1 < len(prompt):
                token = prompt[position + 1]
                continue
            token = _draw(logits.numpy()[0, END : self._size], generator) + END
            if token == END:
                break
            new_tokens.append(token)
        return new_tokens

    def _logits(self, tokens: tf.Tensor, state: State, position: tf.Tensor) -> tuple[tf.Tensor, State]:
        features, state = self._architecture.step(self._model, tokens, state, position)
        kernel, bias = self._architecture.head(self._model)
        return tf.matmul(features, kernel) + bias, state


def _draw(logits: np.ndarray, generator: np.random.Generator) -> int:
    """Sample an index among the `TOP_K` largest logits, with `TEMPERATURE`."""
    candidates = np.argsort(-logits, kind="stable")[:TOP_K]
    weights = np.exp((logits[candidates] - logits[candidates[0]]).astype(np.float64) / TEMPERATURE)
    return int(candidates[generator.choice(len(candidates), p=weights / weights.sum())])
