import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.bands import bands, bleu_band, perplexity_band


@pytest.mark.parametrize(
    ("perplexity", "band"),
    [(1, "excellent"), (19.99, "excellent"), (20, "good"), (49.99, "good"), (50, "acceptable"), (99.99, "acceptable"), (100, "poor")],
)
def test_perplexity(perplexity: float, band: str) -> None:
    assert perplexity_band(perplexity) == band


@pytest.mark.parametrize(("bleu", "band"), [(0, "low"), (0.3, "low"), (0.31, "good"), (0.5, "good"), (0.51, "excellent"), (1, "excellent")])
def test_bleu(bleu: float, band: str) -> None:
    assert bleu_band(bleu) == band


@pytest.mark.parametrize("nothing", [float("nan"), float("inf")])
def test_what_is_no_number_is_in_the_worst_band(nothing: float) -> None:
    assert perplexity_band(nothing) == "poor"
    assert bleu_band(-nothing) == "low"


@given(st.floats(1, 1e6), st.floats(1, 1e6))
def test_a_lower_perplexity_is_never_in_a_worse_band(one: float, other: float) -> None:
    order = ["excellent", "good", "acceptable", "poor"]
    low, high = sorted((one, other))
    assert order.index(perplexity_band(low)) <= order.index(perplexity_band(high))


def test_only_what_was_measured_has_a_word() -> None:
    assert bands({"perplexity": 33.0, "bleu": None, "bits_per_byte": 2.0}) == {"perplexity": "good"}
    assert bands({"bleu": 0.4}) == {"bleu": "good"} and bands({}) == {}
