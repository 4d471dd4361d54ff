import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.slice_metrics.analysis import RATIO_METRICS, Values
from components.slice_metrics.records import record, summary
from components.slice_metrics.slicing import Slice, slices
from robo_poet.evaluation.likelihood import DocumentLikelihood
from robo_poet.settings.evaluation import SlicesSettings
from tests.components.slice_metrics.made import champion_of, document, documents

SETTINGS = SlicesSettings(resamples=400)


def values(rows: list[DocumentLikelihood], slices_: list[Slice]) -> Values:
    """Return the ratios of sums. Another test compares them with TFMA."""
    sums = {name: metric.sums(rows) for name, metric in RATIO_METRICS.items()}
    return {slice_.key: {name: float(a[slice_.rows].sum() / w[slice_.rows].sum()) for name, (a, w) in sums.items()} for slice_ in slices_}


def records(
    ours: list[DocumentLikelihood], theirs: list[DocumentLikelihood] | None = None, settings: SlicesSettings = SETTINGS
) -> list[dict[str, Any]]:
    slices_, _ = slices(ours, [("author",)], 40)
    champion_values = values(theirs, slices_) if theirs else {}
    return [record(slice_, ours, theirs, values(ours, slices_), champion_values, settings, 1) for slice_ in slices_]


def test_a_worse_champion_gives_the_verdict_better_in_each_slice() -> None:
    ours = documents(200)
    for row in records(ours, champion_of(ours)):
        difference, new, champion = row["difference"]["bits_per_byte"], row["metrics"]["bits_per_byte"], row["champion"]["bits_per_byte"]
        assert difference["value"] == pytest.approx(new["value"] - champion["value"], abs=2e-6)
        assert difference["low"] < difference["value"] < difference["high"] < 0 and row["verdict"] == "better"
        assert list(row["difference"]) == ["bits_per_byte"]
    assert {row["verdict"] for row in records(champion_of(ours), ours)} == {"worse"}


def test_the_interval_of_the_difference_is_paired_and_narrower_than_that_of_the_value() -> None:
    ours = documents(200)
    row = records(ours, champion_of(ours))[0]
    difference_width, value_width = (
        estimate["high"] - estimate["low"] for estimate in (row["difference"]["bits_per_byte"], row["metrics"]["bits_per_byte"])
    )
    assert difference_width < 0.5 * value_width


def test_a_model_does_not_differ_significantly_from_itself() -> None:
    ours = documents(60)
    for row in records(ours, ours):
        assert row["difference"]["bits_per_byte"] == {"value": 0, "low": 0, "high": 0}
        assert row["verdict"] == ("no significant difference" if row["documents"] >= SETTINGS.min_documents else "unknown")
        assert row["champion"] == row["metrics"]


def test_the_unit_is_the_work_if_there_are_enough_works() -> None:
    few = [replace(doc, group=str(number % 9)) for number, doc in enumerate(documents(90))]
    many = [replace(doc, group=str(number % 10)) for number, doc in enumerate(documents(90))]
    assert [(row["works"], row["unit"]) for row in (records(few)[0], records(many)[0])] == [(9, "document"), (10, "work")]
    strict = SlicesSettings(resamples=400, min_works=9)
    assert records(few, settings=strict)[0]["unit"] == "work"


def test_differences_between_works_make_the_interval_wider() -> None:
    dice = np.random.default_rng(5)
    levels = dice.normal(2.4, 0.4, 12)
    ours = [document(n, group=str(n % 12), nats=300 * math.log(2) * (levels[n % 12] + dice.normal(0, 0.05))) for n in range(240)]
    by_work = records(ours)[0]["metrics"]["bits_per_byte"]
    by_document = records([replace(doc, group=doc.id) for doc in ours])[0]["metrics"]["bits_per_byte"]
    assert by_work["value"] == by_document["value"]
    assert by_work["high"] - by_work["low"] > 3 * (by_document["high"] - by_document["low"])


def test_three_documents_have_no_interval_and_no_verdict() -> None:
    ours = [document(n, nats=400.0 + n) for n in range(3)]
    row = records(ours, champion_of(ours))[0]
    assert row["documents"] == 3 and row["verdict"] == "unknown"
    for estimate in (*row["metrics"].values(), *row["champion"].values(), row["difference"]["bits_per_byte"]):
        assert math.isfinite(estimate["value"]) and estimate["low"] is estimate["high"] is None


@pytest.mark.parametrize("nats", [math.nan, math.inf])
def test_a_non_finite_document_is_null_in_its_slices_only(nats: float) -> None:
    ours = documents(80)
    broken = [replace(doc, nats=nats) if doc.id == "d0007" else doc for doc in ours]
    unknown = {"value": None, "low": None, "high": None}
    for model, champion in ((broken, ours), (ours, broken)):
        for row in records(model, champion):
            has_document = row["slice"] in ({}, {"author": ours[7].author})
            side = row["metrics" if model is broken else "champion"]
            assert (side["bits_per_byte"] == unknown) == (side["perplexity"] == unknown) == has_document
            assert (row["difference"]["bits_per_byte"] == unknown) == has_document
            assert side["token_accuracy"]["value"] is not None
            if has_document:
                assert row["verdict"] == "unknown"
    metrics = summary(records(broken, ours), 10)
    assert metrics["worst_slice_bits_per_byte"] is metrics["worst_slice_excess"] is metrics["worst_slice_difference"] is None


def test_a_perplexity_above_the_largest_float_is_null() -> None:
    row = records([document(n, tokens=1, nats=1e4 + n) for n in range(20)])[0]
    assert row["metrics"]["perplexity"] == {"value": None, "low": None, "high": None}
    assert row["metrics"]["bits_per_byte"]["low"] is not None


def test_the_summary_covers_the_slices_with_enough_documents() -> None:
    ours = [
        document(n, author=name, nats=nats) for n, (name, nats) in enumerate([("a", 300.0)] * 20 + [("b", 420.0)] * 12 + [("c", 900.0)] * 3)
    ]
    bits = {name: nats / 300 / math.log(2) for name, nats in (("a", 300), ("b", 420))}
    overall = (20 * 300 + 12 * 420 + 3 * 900) / 35 / 300 / math.log(2)
    assert summary(records(ours), 10) == {
        "slices": 3, "slices_judged": 2, "worst_slice_bits_per_byte": pytest.approx(bits["b"], abs=1e-6),
        "worst_slice_excess": pytest.approx(bits["b"] / overall - 1, abs=1e-5),
    }  # fmt: skip
    champion = [replace(doc, nats=doc.nats - 30 if doc.author == "b" else doc.nats + 10) for doc in ours]
    metrics = summary(records(ours, champion), 10)
    assert metrics["worst_slice_difference"] == pytest.approx(30 / 300 / math.log(2), abs=1e-5)
    assert (metrics["slices_worse"], metrics["slices_better"]) == (1, 1)
    assert summary(records(ours), 21) == {"slices": 3, "slices_judged": 0}


@given(st.integers(5, 40), st.integers(0, 99))
def test_every_interval_contains_its_value(count: int, seed: int) -> None:
    ours = documents(count, seed=seed)
    for row in records(ours, champion_of(ours), SlicesSettings(resamples=200)):
        for estimate in (*row["metrics"].values(), *row["champion"].values(), row["difference"]["bits_per_byte"]):
            assert estimate["low"] is None or estimate["low"] <= estimate["value"] <= estimate["high"]
