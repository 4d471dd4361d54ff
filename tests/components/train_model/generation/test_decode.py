"""Generation by sampling, and the validation of requests. Covers: request."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.train_model.generation.sampler import uniform
from robo_poet.model.completion import MAX_LENGTH, StopReason
from tests.components.train_model.generation.test_sampler import slow_sample
from tests.components.train_model.toy_writer import Toy, allowed, inputs, sampling

LSTM_IN_SOAK = pytest.mark.parametrize("name", [pytest.param("lstm", marks=pytest.mark.soak), "transformer"])
BOTH = pytest.mark.parametrize("name", ["lstm", "transformer"])
PROMPTS = [[2, 10, 11, 12], [2, 20, 21, 22, 23, 24, 25], [2, 9]]


@cache
def toy(name: str) -> Toy:
    return Toy(name)


def write(name: str, signature: str, prompts: list[list[int]], draw: dict[str, Any] | None = None, **constraints: Any) -> list[list[int]]:
    result = getattr(toy(name).exported, signature)(
        *inputs(prompts, **constraints).values(), *sampling(len(prompts), **(draw or {})).values()
    )
    return [row[:n].tolist() for row, n in zip(result["tokens"].numpy(), result["length"].numpy(), strict=True)]


def write_slowly(
    name: str, prompt: list[int], seed: int, draw: dict[str, Any], constraints: dict[str, Any]
) -> tuple[list[int], StopReason]:
    """The same by a loop over whole-sequence calls: no state, no cache, one row."""
    tokens = list(prompt)
    options = {"temperature": 1.0, "top_k": 0, "top_p": 1.0} | draw
    while len(tokens) - len(prompt) < constraints["max_new"]:
        logits = allowed(toy(name), tokens, len(prompt), constraints)
        noise = float(uniform(tf.constant([seed], tf.int64), tf.constant(len(tokens)))[0])
        token = slow_sample(logits.astype(np.float32), noise=noise, **options)
        if token == 3:
            return tokens[len(prompt) :], StopReason.END
        tokens.append(token)
        if token in constraints.get("stop_tokens", []) and len(tokens) - len(prompt) > constraints.get("min_new", 0):
            return tokens[len(prompt) :], StopReason.STOP
    return tokens[len(prompt) :], StopReason.LENGTH


@BOTH
@pytest.mark.parametrize("signature", ["generate", pytest.param("generate_xla", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    ("draw", "constraints"),
    [
        ({"top_k": 1}, {"max_new": 25}),
        ({"temperature": 0.7, "top_k": 5}, {"max_new": 15}),
        ({"temperature": 1.5, "top_p": 0.7}, {"max_new": 15}),
        ({"top_k": 1}, {"max_new": 20, "repetition_penalty": 1.2}),
        ({"temperature": 2.0}, {"max_new": 20, "min_new": 8}),
        ({"temperature": 2.0}, {"max_new": 20, "min_new": 3, "stop_tokens": [5, 6, 7, 8, 9, 10, 11], "banned_tokens": [12, 13, 14, 15]}),
    ],
)
def test_generate_equals_the_slow_reference(name: str, signature: str, draw: dict[str, Any], constraints: dict[str, Any]) -> None:
    given = inputs(PROMPTS, **constraints)
    result = getattr(toy(name).exported, signature)(*given.values(), *sampling(3, **draw).values())
    for row, prompt in enumerate(PROMPTS):
        slow, reason = write_slowly(name, prompt, row, draw, constraints)
        fast = result["tokens"].numpy()[row, : result["length"].numpy()[row]].tolist()
        assert (fast, StopReason(int(result["stop_reason"].numpy()[row]))) == (slow, reason)


@BOTH
def test_generate_xla_gives_the_same_text_as_generate(name: str) -> None:
    draw, constraints = (
        {"temperature": 1.2, "top_k": 20, "top_p": 0.9},
        {"max_new": 20, "repetition_penalty": 1.1, "banned_tokens": [12, 13]},
    )
    assert write(name, "generate_xla", PROMPTS, draw, **constraints) == write(name, "generate", PROMPTS, draw, **constraints)


@BOTH
@given(seed=st.integers(0, 2**62), cut=st.integers(1, 29))
def test_text_does_not_depend_on_chunks_or_batch(name: str, seed: int, cut: int) -> None:
    prompt = PROMPTS[0]
    draw = {"seeds": [seed], "temperature": 0.9, "top_k": 20, "top_p": 0.95}
    whole = write(name, "generate", [prompt], draw, max_new=30, min_new=30, repetition_penalty=1.1)[0]
    first = write(name, "generate", [prompt], draw, max_new=cut, min_new=cut, repetition_penalty=1.1)[0]
    rest = write(name, "generate", [[*prompt, *first]], draw, max_new=30 - cut, min_new=30 - cut, repetition_penalty=1.1)[0]
    assert [*first, *rest] == whole
    among = write(
        name, "generate", [PROMPTS[1], prompt, PROMPTS[2]], {**draw, "seeds": [1, seed, 2]}, max_new=30, min_new=30, repetition_penalty=1.1
    )
    assert among[1] == whole


@BOTH
def test_rows_of_generate_do_not_depend_on_the_batch_size(name: str) -> None:
    """Of 320 rows, at least 99.9 % (issue 4); sums of float32 may differ by a last bit where the batch is another."""
    alone = [write(name, "generate", [PROMPTS[row % 3]], {"seeds": [row]}, max_new=12)[0] for row in range(320)]
    together = [
        row for at in range(0, 320, 32)
        for row in write(name, "generate", [PROMPTS[i % 3] for i in range(at, at + 32)], {"seeds": list(range(at, at + 32))}, max_new=12)
    ]  # fmt: skip
    assert np.mean([a == b for a, b in zip(alone, together, strict=True)]) >= 0.999


@LSTM_IN_SOAK
@pytest.mark.parametrize("rows", [64, pytest.param(1024, marks=pytest.mark.soak)])
def test_rows_of_generate_xla_do_not_depend_on_the_batch_size(name: str, rows: int) -> None:
    """The form that serves (issue 4): at least 99.9 % of rows, beside other prompts, seeds and options, in batches of 1, 8 and 32."""

    def written(size: int) -> list[list[int]]:
        batches = [list(range(at, at + size)) for at in range(0, rows, size)]
        return [
            row for batch in batches
            for row in write(name, "generate_xla", [PROMPTS[i % 3] for i in batch], {"seeds": batch, "top_k": 20, "top_p": 0.9}, max_new=12)
        ]  # fmt: skip

    alone = written(1)
    assert len(set(map(tuple, alone))) > rows // 2, "rows that are all alike would prove nothing"
    for size in (8, 32):
        assert np.mean([a == b for a, b in zip(alone, written(size), strict=True)]) >= 0.999


@BOTH
def test_a_text_stops_at_512_tokens_with_the_reason_context(name: str) -> None:
    given = inputs([[2] + [7] * 499, [2, 8, 9]], max_new=100, min_new=100)
    result = toy(name).exported.generate(*given.values(), *sampling(2).values())
    assert result["length"].numpy().tolist() == [MAX_LENGTH - 500, 100]
    assert result["stop_reason"].numpy().tolist() == [StopReason.CONTEXT, StopReason.LENGTH]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"prompt_length": [0]}, "prompt_length"), ({"prompt_length": [5]}, "prompt_length"), ({"prompt": [[2, 38, 5]]}, "prompt"),
        ({"prompt": [[2, -1, 5]]}, "prompt"), ({"max_new": [0]}, "max_new"), ({"min_new": [21]}, "max_new"), ({"repetition_penalty": [0.0]}, "repetition_penalty"),
        ({"stop_tokens": [[99]]}, "stop_tokens"), ({"banned_tokens": [[37]]}, "banned_tokens"), ({"temperature": [0.0]}, "temperature"), ({"temperature": [float("nan")]}, "temperature"),
        ({"banned_tokens": [list(range(4, 37))]}, "banned_tokens"), ({"banned_tokens": [list(range(3, 37))], "min_new": [3]}, "banned_tokens"),
        ({"top_k": [101]}, "top_k"), ({"top_p": [0.0]}, "top_p"), ({"top_p": [float("nan")]}, "top_p"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("signature", ["generate", pytest.param("generate_xla", marks=pytest.mark.soak)])
def test_an_input_out_of_range_is_named_by_the_graph(signature: str, change: dict[str, Any], name: str) -> None:
    arguments = {**inputs([[2, 5, 6]]), **sampling(1)}
    arguments |= {key: tf.constant(value, arguments[key].dtype) for key, value in change.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{name}: "):
        getattr(toy("lstm").exported, signature)(*arguments.values())


def test_a_prompt_as_long_as_the_context_is_refused() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="prompt_length: must be 1 to 511"):
        toy("lstm").exported.generate(*inputs([[2] + [5] * 511]).values(), *sampling(1).values())
