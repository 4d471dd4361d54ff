import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.evaluation.documents import Measured
from robo_poet.evaluation.likelihood import likelihood_metrics, perplexity


def row(work: str, size: int, tokens: int, nats: float) -> Measured:
    return Measured(f"{work}{size}", work, "", "", "", "", "", "", size, tokens, tokens // 2, tokens, nats, 2 * nats)


rows = st.lists(
    st.builds(row, st.sampled_from([f"w{n}" for n in range(14)]), st.integers(1, 5000), st.integers(2, 900), st.floats(0.5, 5000)),
    min_size=1,
    max_size=40,
)


@given(rows)
def test_each_is_the_ratio_of_sums_over_all_documents_within_its_interval(found: list[Measured]) -> None:
    metrics = likelihood_metrics(found, seed=1)
    nats, tokens, size = (sum(getattr(one, name) for one in found) for name in ("nats", "tokens", "bytes"))
    expected = {
        "perplexity": perplexity(nats / tokens), "bits_per_byte": nats / math.log(2) / size, "token_accuracy": sum(one.first for one in found) / tokens,
        "top5_accuracy": 1.0, "unigram_bits_per_byte": 2 * nats / math.log(2) / size, "unigram_perplexity": perplexity(2 * nats / tokens),
        "bits_saved_over_unigram": 0.5,
    }  # fmt: skip
    assert {name: one.value for name, one in metrics.items()} == pytest.approx(expected)
    assert all(one.low <= one.value <= one.high for one in metrics.values() if math.isfinite(one.value))


@pytest.mark.parametrize(("nats", "expected"), [(0.0, 1.0), (math.log(50), 50.0), (1e6, math.inf), (-math.inf, 0.0), (math.inf, math.inf)])
def test_perplexity_is_the_exponential_and_never_an_error(nats: float, expected: float) -> None:
    assert perplexity(nats) == pytest.approx(expected)
