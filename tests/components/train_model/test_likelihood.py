from functools import cache

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.train_model.likelihood import CHUNK, likelihood
from robo_poet.model.tokenizer import PAD
from tests.components.train_model.toy_writer import Toy


@cache
def toy(name: str) -> Toy:
    return Toy(name, vocabulary=40)


@given(rows=st.sampled_from([1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3]), seed=st.integers(0, 2**31))
def test_in_chunks_it_is_the_softmax_of_all_rows(rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    features, kernel, bias = (random.normal(size=shape).astype(np.float32) for shape in ((rows, 5), (5, 9), (9,)))
    targets = random.integers(0, 9, rows).astype(np.int32)
    chances, ranks = (value.numpy() for value in likelihood(*map(tf.constant, (features, kernel, bias, targets))))
    logits = features.astype(np.float64) @ kernel + bias
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chosen = shares[np.arange(rows), targets]
    real = targets != PAD
    np.testing.assert_allclose(chances, np.where(real, np.log(chosen), 0), atol=2e-5)
    clear = (np.abs(logits - np.log(chosen)[:, None] - np.log(np.exp(logits).sum(1))[:, None]) > 1e-5).sum(1) == 8  # no near tie
    assert (ranks == np.where(real, (shares > chosen[:, None]).sum(axis=1), -1))[clear].all()


@pytest.mark.parametrize("name", ["lstm", "transformer"])
@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([[2, 38, 5]], "tokens: a token that does not exist; they are 0 to 36"),
        ([[2, -1]], "tokens: a token that does not"),
        ([[2]], "tokens: at least 2 wide"),
    ],
)
def test_score_names_what_it_cannot_judge(name: str, tokens: list[list[int]], said: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=said):
        toy(name).exported.score(tf.constant(tokens, tf.int32))


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_no_tensor_of_score_holds_all_logits(name: str) -> None:
    """32×512 tokens over 10,000 would be 0.7 GB a tensor: what is as wide as the vocabulary stays a chunk's."""
    graph = toy(name).exported.score.get_concrete_function().graph
    wide = [
        tensor.shape for operation in graph.get_operations() for tensor in operation.outputs
        if tensor.shape.rank == 3 and tensor.shape[-1] == 40
    ]  # fmt: skip
    assert wide == []
