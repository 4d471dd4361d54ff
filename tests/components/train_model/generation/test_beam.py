from functools import cache
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from components.train_model.generation.beam import length_factor
from robo_poet.model.completion import StopReason
from tests.components.train_model.toy_writer import Toy, allowed, inputs, sampling

BOTH = pytest.mark.parametrize("name", ["lstm", "transformer"])
PROMPTS = [[2, 10, 11, 12], [2, 20, 21, 22, 23, 24, 25], [2, 9]]


@cache
def toy(name: str) -> Toy:
    return Toy(name, seed=3)


def search(
    name: str, prompts: list[list[int]], beams: int, length_penalty: float, **constraints: Any
) -> list[tuple[list[int], float, StopReason]]:
    rows = len(prompts)
    result = toy(name).exported.beam_search(
        *inputs(prompts, **constraints).values(), tf.fill([rows], beams), tf.fill([rows], length_penalty)
    )
    found = (result[key].numpy() for key in ("tokens", "length", "score", "stop_reason"))
    return [(tokens[:n].tolist(), float(score), StopReason(int(reason))) for tokens, n, score, reason in zip(*found, strict=True)]


def search_slowly(
    name: str, prompt: list[int], beams: int, length_penalty: float, constraints: dict[str, Any]
) -> tuple[list[int], float, StopReason]:
    """Beam search as one writes it on a blackboard: lists of hypotheses, each scored by the whole model."""

    def score(total: float, length: int) -> float:
        return total / ((5 + length) / 6) ** length_penalty

    alive: list[tuple[float, list[int]]] = [(0.0, list(prompt))]
    finished: list[tuple[float, list[int], StopReason]] = []
    for _ in range(constraints["max_new"]):
        candidates = []
        for total, tokens in alive:
            logits = allowed(toy(name), tokens, len(prompt), constraints) - np.log(np.exp(toy(name).logits(tokens)).sum())
            candidates += [(total + logits[token], [*tokens, token]) for token in range(toy(name).vocabulary) if logits[token] > -np.inf]
        candidates.sort(key=lambda one: -one[0])
        alive = []
        for rank, (total, tokens) in enumerate(candidates[:10]):
            written = len(tokens) - len(prompt)
            ends = tokens[-1] == 3 or tokens[-1] in constraints.get("stop_tokens", [])
            if ends and written > constraints.get("min_new", 0):
                if rank < beams:
                    end = tokens[-1] == 3
                    reason = StopReason.END if end else StopReason.STOP
                    finished.append((score(total, written - end), tokens[len(prompt) : len(tokens) - end], reason))
            elif len(alive) < beams:
                alive.append((total, tokens))
        if len(finished) >= beams:
            break
    else:
        finished += [(score(total, constraints["max_new"]), tokens[len(prompt) :], StopReason.LENGTH) for total, tokens in alive]
    best = max(finished, key=lambda one: one[0])
    return best[1], best[0], best[2]


@BOTH
@pytest.mark.parametrize("beams", [1, 3, pytest.param(4, marks=pytest.mark.soak), pytest.param(5, marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("length_penalty", "constraints"),
    [
        (0.6, {"max_new": 12}),
        (1.0, {"max_new": 12, "min_new": 4}),
        (0.8, {"max_new": 10, "repetition_penalty": 1.2, "banned_tokens": [12, 17, 26], "stop_tokens": [30, 31, 32, 33, 34]}),
    ],
)
def test_equals_beam_search_on_lists(name: str, beams: int, length_penalty: float, constraints: dict[str, Any]) -> None:
    found = search(name, PROMPTS, beams, length_penalty, **constraints)
    for prompt, (tokens, score, reason) in zip(PROMPTS, found, strict=True):
        slow_tokens, slow_score, slow_reason = search_slowly(name, prompt, beams, length_penalty, constraints)
        assert (tokens, reason) == (slow_tokens, slow_reason)
        assert score == pytest.approx(slow_score, rel=1e-3, abs=1e-3)


@BOTH
def test_one_beam_is_greedy_search(name: str) -> None:
    dice = np.random.default_rng(0)
    prompts = [[2, *dice.integers(4, 37, dice.integers(1, 9)).tolist()] for _ in range(40)]
    greedy = toy(name).exported.generate(*inputs(prompts).values(), *sampling(40, top_k=1).values())
    beam = search(name, prompts, 1, 1.0)
    rows = [row[:n].tolist() for row, n in zip(greedy["tokens"].numpy(), greedy["length"].numpy(), strict=True)]
    assert [tokens for tokens, _, _ in beam] == rows
    assert [reason for _, _, reason in beam] == greedy["stop_reason"].numpy().tolist()


def test_more_beams_find_more_likely_texts() -> None:
    dice = np.random.default_rng(0)
    prompts = [[2, *dice.integers(4, 37, 5).tolist()] for _ in range(40)]
    scores = {beams: np.array([score for _, score, _ in search("lstm", prompts, beams, 0.6, min_new=20)]) for beams in (1, 5)}
    assert (scores[5] >= scores[1] - 1e-4).mean() > 0.8  # a beam may lose what greedy finds
    assert scores[5].mean() > scores[1].mean() + 0.3


def test_the_length_factor_equals_that_of_wu_et_al() -> None:
    assert float(length_factor(tf.constant(1), tf.constant(0.7))) == pytest.approx(1.0)
    assert float(length_factor(tf.constant(7), tf.constant(1.0))) == pytest.approx(2.0)


@pytest.mark.parametrize("beams", [0, 2, 6])
def test_a_number_of_beams_out_of_range_is_refused(beams: int) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="beams: must be 1 or 3 to 5"):
        search("lstm", PROMPTS, beams, 1.0)
