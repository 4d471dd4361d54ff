"""A toy model for tests: the signatures `score` and `generate` of an exported model as plain functions of text."""

from collections.abc import Callable
from typing import Any

import numpy as np

from robo_poet.model.saved_model import LoadedModel
from robo_poet.model.tokenizer import END, PAD, Tokenizer


class Array(np.ndarray[Any, Any]):
    """An array with the method `numpy` of a tensor."""

    def numpy(self) -> np.ndarray[Any, Any]:
        return np.asarray(self)


def toy_model(
    words: Tokenizer, text_log_prob: Callable[[str], float] = lambda text: 0.0, write: Callable[[str, int], str] = lambda prompt, seed: ""
) -> LoadedModel:
    """Return a model with given likelihoods and completions.

    Args:
        text_log_prob: log P of a whole text, added at its last token. Each token has in addition nats that depend only on the token.
        write: the continuation of a prompt under a seed.
    """
    table = -np.random.default_rng(7).uniform(1, 9, words.size)

    def score(tokens: Any) -> dict[str, Array]:
        nats = np.where(tokens[:, 1:] != PAD, table[tokens[:, 1:]], 0.0)
        for row, ids in enumerate(tokens):
            length = int((ids != PAD).sum())
            if length > 1:
                nats[row, length - 2] += text_log_prob(words.decode(ids[:length].tolist()))
        return {"log_prob": nats.view(Array)}

    def generate(**inputs: Any) -> dict[str, Array]:
        rows = []
        for ids, length, seed, most in zip(*(inputs[n] for n in ("prompt", "prompt_length", "seed", "max_new")), strict=True):
            rows.append(words.encode(write(words.decode(ids[:length].tolist()), int(seed)))[:most])
        tokens = np.full((len(rows), max(1, *map(len, rows))), END, np.int32)
        for number, row in enumerate(rows):
            tokens[number, : len(row)] = row
        lengths = np.asarray([len(row) for row in rows])
        found = {"tokens": tokens, "length": lengths, "stop_reason": np.zeros(len(rows), int), "log_prob": np.zeros(tokens.shape)}
        return {name: value.view(Array) for name, value in found.items()}

    return LoadedModel(generate, None, score, words, {"max_length": 512}, None)


def ignore_progress(*_: object) -> None:
    """A progress callback that does nothing."""
