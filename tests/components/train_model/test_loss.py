import numpy as np
import pytest

from components.train_model.loss import cross_entropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_equals_the_definition(smoothing: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(3, 5, 11)).astype(np.float32)
    targets = random.integers(0, 11, (3, 5)).astype(np.int32)
    targets[0, 3:] = 0
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    wanted = np.full((3, 5, 11), smoothing / 11) + (1 - smoothing) * np.eye(11)[targets]
    expected = -(wanted * log_p).sum(-1)[targets != 0].sum()
    total, count = cross_entropy(targets, logits, smoothing)
    assert float(total) == pytest.approx(expected, rel=1e-5)
    assert float(count) == (targets != 0).sum()


def test_padding_alone_counts_nothing() -> None:
    total, count = cross_entropy(np.zeros((2, 3), np.int32), np.ones((2, 3, 4), np.float32), 0.1)
    assert float(total) == float(count) == 0.0
