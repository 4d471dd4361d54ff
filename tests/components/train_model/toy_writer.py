"""Toy models with strong opinions, and the slow, plain way to write with them."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.export.saved_model import ServingModule
from robo_poet.settings.train import TrainSettings

SETTINGS = {"embedding": 16, "units": 16, "layers": 2, "ffn": 24, "heads": 2, "window": 12, "stride": 6}


class Toy:
    """A model of `vocabulary` tokens, of which `size` exist, and its exported form."""

    def __init__(self, architecture: str, vocabulary: int = 40, size: int = 37, seed: int = 1) -> None:
        keras.utils.set_random_seed(seed)
        self.vocabulary, self.size = vocabulary, size
        self.architecture = ARCHITECTURES[architecture]
        self.model = self.architecture.build(TrainSettings.model_validate({"architecture": architecture, **SETTINGS}), vocabulary)
        for variable in self.model.trainable_variables:
            variable.assign(variable * 2 + tf.random.normal(variable.shape, stddev=0.4))
        self.exported = ServingModule(self.model, self.architecture, size)
        self._whole = tf.function(lambda tokens: self.model(tokens, training=False), input_signature=[tf.TensorSpec([1, None], tf.int32)])

    def logits(self, tokens: list[int]) -> npt.NDArray[np.float64]:
        """What the whole model, run anew, thinks comes after `tokens`."""
        return np.asarray(self._whole(np.asarray([tokens], np.int32))[0, -1], np.float64)


def inputs(prompts: list[list[int]], **given: Any) -> dict[str, tf.Tensor]:
    """The inputs that all ways of writing share; one value stands for all rows."""
    rows = len(prompts)
    width = max(map(len, prompts))
    constraints = {"max_new": 20, "min_new": 0, "repetition_penalty": 1.0, "stop_tokens": [], "banned_tokens": []} | given
    return {
        "prompt": tf.constant([p + [0] * (width - len(p)) for p in prompts]),
        "prompt_length": tf.constant([len(p) for p in prompts]),
        "max_new": tf.constant([constraints["max_new"]] * rows),
        "min_new": tf.constant([constraints["min_new"]] * rows),
        "repetition_penalty": tf.constant([constraints["repetition_penalty"]] * rows, tf.float32),
        "stop_tokens": tf.constant([constraints["stop_tokens"]] * rows, tf.int32, [rows, len(constraints["stop_tokens"])]),
        "banned_tokens": tf.constant([constraints["banned_tokens"]] * rows, tf.int32, [rows, len(constraints["banned_tokens"])]),
    }


def sampling(
    rows: int, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, seeds: list[int] | None = None
) -> dict[str, tf.Tensor]:
    """The inputs of sampling."""
    return {
        "temperature": tf.fill([rows], temperature), "top_k": tf.fill([rows], top_k), "top_p": tf.fill([rows], top_p),
        "seed": tf.constant(seeds or list(range(rows)), tf.int64),
    }  # fmt: skip


def allowed(toy: Toy, tokens: list[int], prompt: int, given: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    """Logits after penalty and masks, token by token: the words of the specification, one after another."""
    logits = toy.logits(tokens)
    penalty = float(given.get("repetition_penalty", 1.0))
    for token in set(tokens):
        logits[token] = logits[token] / penalty if logits[token] > 0 else logits[token] * penalty
    for token in range(toy.vocabulary):
        early = token == 3 and len(tokens) - prompt < given.get("min_new", 0)
        if token < 3 or token >= toy.size or token in given.get("banned_tokens", []) or early:
            logits[token] = -np.inf
    return logits
