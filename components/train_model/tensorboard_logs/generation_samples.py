"""Texts that the model generates during training, logged for TensorBoard (TRAIN-4).

The architecture's `step` runs in a Python loop, and sampling runs on the host. The exported `generate` is much faster, but an export takes
seconds. The loop is fast enough for one or two texts every few hundred steps.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from components.train_model.architectures.architecture import Architecture, State
from components.train_model.tensorboard_logs.event_file import EventFile
from components.train_model.training.callbacks import Batch, Callback, Training
from robo_poet.display import masked
from robo_poet.model.tokenizer import END, START, Tokenizer

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


SAMPLE_TOKENS = 100  # new tokens per sample
PROMPT_TOKENS = 12  # tokens of the held-out prompt


class GenerationSamples(Callback):
    """A callback that logs two texts every `steps` steps: one without a prompt, and one that continues the start of the validation split.

    Sampling depends on (seed, step), so that a resumed training logs the same texts. It does not touch the random state of training.
    """

    def __init__(self, events: EventFile, steps: int, tokenizer: Tokenizer) -> None:
        self._events, self._steps, self._tokenizer = events, steps, tokenizer
        self._sample: SampleText | None = None

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        step = training.progress.step
        if step % self._steps:
            return
        sample = self._sample = self._sample or SampleText(training.architecture, training.model, self._tokenizer.size)
        held_out = [int(token) for token in training.validation.tokens[:PROMPT_TOKENS]]
        for name, prompt in (("without prompt", [START]), ("with held-out prompt", held_out)):
            new_tokens = sample(prompt, SAMPLE_TOKENS, seed=(training.seed, step))
            self._events.text(f"samples/{name}", masked(self._tokenizer.decode([*prompt, *new_tokens])), step)
