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


def values(rows: list[DocumentLikelihood], parts: list[Slice]) -> Values:
    """What TFMA says; that it says this is another test's."""
    sums = {name: measure.sums(rows) for name, measure in RATIO_METRICS.items()}
    return {one.key: {name: float(a[one.rows].sum() / w[one.rows].sum()) for name, (a, w) in sums.items()} for one in parts}


def records(
    ours: list[DocumentLikelihood], theirs: list[DocumentLikelihood] | None = None, settings: SlicesSettings = SETTINGS
) -> list[dict[str, Any]]:
    parts, _ = slices(ours, [("author",)], 40)
    other = values(theirs, parts) if theirs else {}
    return [record(one, ours, theirs, values(ours, parts), other, settings, 1) for one in parts]


def test_a_worse_champion_is_told_apart_and_the_models_difference_is_paired() -> None:
    ours = documents(200)
    for one in records(ours, champion_of(ours)):
        difference, mine, other = one["difference"]["bits_per_byte"], one["metrics"]["bits_per_byte"], one["champion"]["bits_per_byte"]
        assert difference["value"] == pytest.approx(mine["value"] - other["value"], abs=2e-6)
        assert difference["low"] < difference["value"] < difference["high"] < 0 and one["verdict"] == "better"
        assert list(one["difference"]) == ["bits_per_byte"]
    assert {one["verdict"] for one in records(champion_of(ours), ours)} == {"worse"}


def test_what_two_models_have_in_common_is_not_in_the_doubt_about_their_difference() -> None:
    ours = documents(200)
    one = records(ours, champion_of(ours))[0]
    width, alone = (e["high"] - e["low"] for e in (one["difference"]["bits_per_byte"], one["metrics"]["bits_per_byte"]))
    assert width < 0.5 * alone


def test_the_same_model_again_is_not_told_apart() -> None:
    ours = documents(60)
    for one in records(ours, ours):
        assert one["difference"]["bits_per_byte"] == {"value": 0, "low": 0, "high": 0}
        assert one["verdict"] == ("no significant difference" if one["documents"] >= SETTINGS.min_documents else "unknown")
        assert one["champion"] == one["metrics"]


def test_the_unit_is_the_work_where_there_are_enough() -> None:
    few = [replace(one, group=str(number % 9)) for number, one in enumerate(documents(90))]
    many = [replace(one, group=str(number % 10)) for number, one in enumerate(documents(90))]
    assert [(one["works"], one["unit"]) for one in (records(few)[0], records(many)[0])] == [(9, "document"), (10, "work")]
    strict = SlicesSettings(resamples=400, min_works=9)
    assert records(few, settings=strict)[0]["unit"] == "work"


def test_works_that_differ_make_the_interval_wider_than_independent_documents_would() -> None:
    dice = np.random.default_rng(5)
    levels = dice.normal(2.4, 0.4, 12)
    ours = [document(n, group=str(n % 12), nats=300 * math.log(2) * (levels[n % 12] + dice.normal(0, 0.05))) for n in range(240)]
    by_work = records(ours)[0]["metrics"]["bits_per_byte"]
    alone = records([replace(one, group=one.id) for one in ours])[0]["metrics"]["bits_per_byte"]
    assert by_work["value"] == alone["value"] and by_work["high"] - by_work["low"] > 3 * (alone["high"] - alone["low"])


def test_three_documents_are_shown_without_interval_and_verdict() -> None:
    ours = [document(n, nats=400.0 + n) for n in range(3)]
    one = records(ours, champion_of(ours))[0]
    assert one["documents"] == 3 and one["verdict"] == "unknown"
    for estimate in (*one["metrics"].values(), *one["champion"].values(), one["difference"]["bits_per_byte"]):
        assert math.isfinite(estimate["value"]) and estimate["low"] is estimate["high"] is None


@pytest.mark.parametrize("nats", [math.nan, math.inf])
def test_what_is_no_number_is_null_wherever_it_counts_and_nowhere_else(nats: float) -> None:
    ours = documents(80)
    broken = [replace(one, nats=nats) if one.id == "d0007" else one for one in ours]
    nothing = {"value": None, "low": None, "high": None}
    for model, champion in ((broken, ours), (ours, broken)):
        for one in records(model, champion):
            touched = one["slice"] in ({}, {"author": ours[7].author})
            side = one["metrics" if model is broken else "champion"]
            assert (side["bits_per_byte"] == nothing) == (side["perplexity"] == nothing) == touched
            assert (one["difference"]["bits_per_byte"] == nothing) == touched
            assert side["token_accuracy"]["value"] is not None
            if touched:
                assert one["verdict"] == "unknown"
    found = summary(records(broken, ours), 10)
    assert found["worst_slice_bits_per_byte"] is found["worst_slice_excess"] is found["worst_slice_difference"] is None


def test_a_perplexity_beyond_all_floats_is_null() -> None:
    one = records([document(n, tokens=1, nats=1e4 + n) for n in range(20)])[0]
    assert one["metrics"]["perplexity"] == {"value": None, "low": None, "high": None}
    assert one["metrics"]["bits_per_byte"]["low"] is not None


def test_the_summary_is_of_the_judged_slices() -> None:
    ours = [
        document(n, author=name, nats=nats) for n, (name, nats) in enumerate([("a", 300.0)] * 20 + [("b", 420.0)] * 12 + [("c", 900.0)] * 3)
    ]
    bits = {name: nats / 300 / math.log(2) for name, nats in (("a", 300), ("b", 420))}
    overall = (20 * 300 + 12 * 420 + 3 * 900) / 35 / 300 / math.log(2)
    assert summary(records(ours), 10) == {
        "slices": 3, "slices_judged": 2, "worst_slice_bits_per_byte": pytest.approx(bits["b"], abs=1e-6),
        "worst_slice_excess": pytest.approx(bits["b"] / overall - 1, abs=1e-5),
    }  # fmt: skip
    champion = [replace(one, nats=one.nats - 30 if one.author == "b" else one.nats + 10) for one in ours]
    found = summary(records(ours, champion), 10)
    assert found["worst_slice_difference"] == pytest.approx(30 / 300 / math.log(2), abs=1e-5)
    assert (found["slices_worse"], found["slices_better"]) == (1, 1)
    assert summary(records(ours), 21) == {"slices": 3, "slices_judged": 0}


@given(st.integers(5, 40), st.integers(0, 99))
def test_every_interval_holds_its_value(count: int, seed: int) -> None:
    ours = documents(count, seed=seed)
    for one in records(ours, champion_of(ours), SlicesSettings(resamples=200)):
        for estimate in (*one["metrics"].values(), *one["champion"].values(), one["difference"]["bits_per_byte"]):
            assert estimate["low"] is None or estimate["low"] <= estimate["value"] <= estimate["high"]
