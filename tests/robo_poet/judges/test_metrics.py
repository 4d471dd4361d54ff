import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.judges.metrics import (
    COMPARED,
    METRICS,
    SLICED,
    bands,
    better,
    exact_text,
    interval_text,
    metric_name,
    metric_text,
    ordered,
    signed_text,
)


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("perplexity", 57.46, "57.5"),
        ("token_accuracy", 0.1916, "19.2%"),
        ("edge_megabytes", 1.394, "1.39 MB"),
        ("longest_copy_max", 13.0, "13 tokens"),
        ("test_tokens", 12345.0, "12,345"),
        ("edge_bits_per_byte_loss", -0.0000912, "-0.009%"),
        ("semantic_lift", 0.1, "+0.100"),
        ("not_in_the_table", 0.123456, "0.1235"),
        ("perplexity", None, "not measured"),
        ("perplexity", math.nan, "not measured"),
        ("perplexity", "12", "not measured"),
        ("perplexity", True, "not measured"),
    ],
)
def test_a_value_is_printed_with_its_unit(metric: str, value: object, text: str) -> None:
    assert metric_text(metric, value) == text


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("toxic_share", 0.05, "5%"),
        ("bits_saved_over_unigram", 0.15, "15%"),
        ("edge_megabytes", 8, "8 MB"),
        ("perplexity", 100.0, "100"),
        ("bleu", 0.0005, "0.0005"),
        ("bits_per_byte", None, "None"),
        ("not_in_the_table", 0.1, "0.1"),
    ],
)
def test_a_bound_is_printed_in_the_unit_of_its_value_without_loss(metric: str, value: float | None, text: str) -> None:
    assert exact_text(metric, value) == text


@given(st.sampled_from(sorted(METRICS)), st.floats(-1e6, 1e6))
def test_a_bound_and_a_value_end_with_the_same_unit(metric: str, value: float) -> None:
    assert exact_text(metric, value).endswith(METRICS[metric].suffix) and metric_text(metric, value).endswith(METRICS[metric].suffix)


def test_a_difference_has_its_sign() -> None:
    assert (signed_text("bits_per_byte", 0.01), signed_text("bits_per_byte", -0.01)) == ("+0.010", "-0.010")


def test_labels_are_unique() -> None:
    labels = [metric.label for metric in METRICS.values()]
    assert len(set(labels)) == len(labels)


def test_an_unknown_metric_keeps_its_name_and_has_no_direction() -> None:
    assert (metric_name("bits_per_byte"), metric_name("my_metric")) == ("bits per byte", "my metric")
    assert (better("bits_per_byte"), better("token_accuracy"), better("test_tokens"), better("x")) == ("lower", "higher", None, None)


def test_a_compared_metric_has_a_direction() -> None:
    assert COMPARED == ("bits_per_byte", "bleu") and all(map(better, COMPARED))
    assert set(SLICED) == {"bits_per_byte", "perplexity", "token_accuracy", "top5_accuracy"}


def test_metrics_are_shown_in_the_order_of_the_table() -> None:
    assert ordered({"zebra": 1, "bleu": 2, "perplexity": 3, "ape": 4}) == [("perplexity", 3), ("bleu", 2), ("ape", 4), ("zebra", 1)]


@pytest.mark.parametrize(
    ("perplexity", "band"),
    [(1, "excellent"), (19.99, "excellent"), (20, "good"), (49.99, "good"), (50, "acceptable"), (99.99, "acceptable"), (100, "poor")],
)
def test_bands_of_perplexity(perplexity: float, band: str) -> None:
    assert bands({"perplexity": perplexity}) == {"perplexity": band}


@pytest.mark.parametrize(("bleu", "band"), [(0, "low"), (0.3, "low"), (0.31, "good"), (0.5, "good"), (0.51, "excellent"), (1, "excellent")])
def test_bands_of_bleu(bleu: float, band: str) -> None:
    assert bands({"bleu": bleu}) == {"bleu": band}


def test_a_value_that_is_not_a_number_is_in_the_worst_band() -> None:
    assert bands({"perplexity": math.nan, "bleu": math.nan}) == {"perplexity": "poor", "bleu": "low"}
    assert bands({"perplexity": math.inf, "bleu": -math.inf}) == {"perplexity": "poor", "bleu": "low"}


@given(st.floats(1, 1e6), st.floats(1, 1e6))
def test_a_lower_perplexity_is_never_in_a_worse_band(first: float, second: float) -> None:
    order = ["excellent", "good", "acceptable", "poor"]
    low, high = (bands({"perplexity": value})["perplexity"] for value in sorted((first, second)))
    assert order.index(low) <= order.index(high)


def test_only_measured_metrics_have_a_band() -> None:
    assert bands({"perplexity": 33.0, "bleu": None, "bits_per_byte": 2.0}) == {"perplexity": "good"}
    assert bands({}) == {}


@pytest.mark.parametrize(
    ("metric", "limits", "text"),
    [
        ("bits_per_byte", (2.41, 2.52), "2.410 to 2.520"),
        ("token_accuracy", (0.185, 0.199), "18.5% to 19.9%"),
        ("bias_likelihood_worst", (0.0, 0.355), "0.000 to 0.355 nats"),
        ("bits_per_byte", (None, 2.52), ""),
        ("bits_per_byte", None, ""),
    ],
)
def test_an_interval_has_its_unit_once(metric: str, limits: tuple[float | None, float | None] | None, text: str) -> None:
    assert interval_text(metric, limits) == text


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_declares_its_possible_range(metric: str) -> None:
    row = METRICS[metric]
    assert row.least < row.most
    if row.unit == "%" and not row.signed and not metric.startswith("bits_saved_over_"):
        assert (row.least, row.most) == (0, 1)
    if metric != "worst_slice_difference" and "grade" not in metric:
        assert math.isfinite(row.least) or math.isfinite(row.most)
