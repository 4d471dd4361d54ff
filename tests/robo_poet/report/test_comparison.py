"""Values that can be compared have a difference; others say why they have none."""

from dataclasses import replace
from typing import Any

import pytest

from robo_poet.judges.metrics import LSA
from robo_poet.report.comparison import Comparison, MetricRow, compare
from robo_poet.report.measured import Measured

A = Measured(
    "poems/1",
    model="poems",
    version=1,
    stage="champion",
    corpus="poems.csv",
    profile="local",
    changed={},
    settings={"seed": 1, "train": {"epochs": 3}, "gates": [{"metric": "perplexity", "max": 50}]},
    verdict="accepted",
    date="2026-03-01T12:34:56",
    metrics={
        "perplexity": 40.0,
        "bits_per_byte": 2.5,
        "toxic_share": 0.02,
        "semantic_lift": 0.1,
        "slices_worse": 0,
        "mystery": 1.0,
        "bleu": None,
    },
    intervals={"bits_per_byte": [2.4, 2.6], "perplexity": [38.0, 42.0], "toxic_share": [None, None]},
    shortages={"toxic_share": {"what": "prompts", "needed": 5, "there": 3}},
    gates=[{"metric": "perplexity", "bound": "<= 50", "value": 40.0, "verdict": "pass"}],
    samples=[{"prompt": "O", "text": " sea"}, {"prompt": "Ah", "text": " me"}],
    counts={"documents": 1000, "megabytes": 0.5},
    semantic_method=LSA,
    digests={"corpus": "c" * 64, "scrubbed": "s" * 64, "tokenizer": "t" * 64},
)
B = replace(
    A, name="poems/2", version=2, stage="rejected", verdict="rejected", reason="bleu", changed={"train.epochs": 10},
    settings={**A.settings, "train": {"epochs": 10}}, metrics={**A.metrics, "bits_per_byte": 2.25, "perplexity": 39.0, "toxic_share": 0.05},
    intervals={"bits_per_byte": [2.2, 2.3], "perplexity": [37.0, 41.0]},
    gates=[{"metric": "bleu", "bound": ">= 0.1", "value": 0.01, "verdict": "fail"}],
    samples=[{"prompt": "Ah", "text": " you"}, {"prompt": "Lo", "text": "!"}],
)  # fmt: skip


def row(comparison: Comparison, metric: str) -> MetricRow:
    return next(row for row in comparison.metrics if row.metric == metric)


def note_on(comparison: Comparison, text: str) -> bool:
    return any(text in note for note in comparison.notes)


def test_values_of_one_unit_have_a_difference() -> None:
    comparison = compare(A, B)
    assert comparison.notes == ()
    bits = row(comparison, "bits_per_byte")
    assert (bits.values, bits.intervals, bits.difference, bits.note) == (
        ("2.500", "2.250"),
        ("2.400 to 2.600", "2.200 to 2.300"),
        "-0.250",
        "B",
    )
    assert (row(comparison, "perplexity").difference, row(comparison, "perplexity").note) == ("-1.0", "intervals overlap")
    toxic = row(comparison, "toxic_share")
    assert (toxic.difference, toxic.note, toxic.intervals[0]) == ("+3.0 points", "", "none: 3 prompts, 5 needed")
    assert row(compare(B, A), "bits_per_byte").note == "A"


@pytest.mark.parametrize(("metric", "why"), [("slices_worse", "own champion"), ("mystery", "unknown unit")])
def test_values_without_a_common_scale_have_no_difference(metric: str, why: str) -> None:
    assert (row(compare(A, B), metric).difference, row(compare(A, B), metric).note) == ("", why)


def test_a_missing_value_has_no_difference() -> None:
    bleu = row(compare(A, B), "bleu")
    assert (bleu.values, bleu.difference, bleu.note) == (("not measured", "not measured"), "", "")
    assert row(compare(A, replace(B, metrics={})), "perplexity").values == ("40.0", "")


def test_other_tokenizers_have_other_units_per_token() -> None:
    comparison = compare(A, replace(B, digests={**B.digests, "tokenizer": "u" * 64}))
    assert note_on(comparison, "The tokenizers differ")
    assert (row(comparison, "perplexity").difference, row(comparison, "perplexity").note) == ("", "other tokenizer")
    assert row(comparison, "bits_per_byte").difference == "-0.250"


def test_other_texts_are_named_and_no_side_is_better() -> None:
    comparison = compare(A, replace(B, digests={**B.digests, "corpus": "d" * 64}))
    assert note_on(comparison, "Measured on different texts")
    assert (row(comparison, "bits_per_byte").difference, row(comparison, "bits_per_byte").note) == ("-0.250", "")
    assert (row(comparison, "semantic_lift").difference, row(comparison, "semantic_lift").note) == ("", "other corpus")


def test_semantic_similarities_of_two_methods_are_not_comparable() -> None:
    embeddings = replace(B, semantic_method="all-MiniLM-L6-v2")
    comparison = compare(A, embeddings)
    assert note_on(comparison, "not comparable: it was measured by LSA for A and by all-MiniLM-L6-v2 for B.")
    assert (row(comparison, "semantic_lift").difference, row(comparison, "semantic_lift").note) == ("", "other method")
    unknown = compare(A, replace(B, semantic_method=""))
    assert (row(unknown, "semantic_lift").difference, row(unknown, "semantic_lift").note) == ("", "method not known")
    assert not note_on(unknown, "Semantic similarity")


def test_sentence_embeddings_have_one_scale_for_all_corpora() -> None:
    one, other = (replace(side, semantic_method="all-MiniLM-L6-v2") for side in (A, B))
    other = replace(other, metrics={**B.metrics, "semantic_lift": 0.15}, digests={**B.digests, "corpus": "d" * 64})
    assert (row(compare(one, other), "semantic_lift").difference, row(compare(one, other), "semantic_lift").note) == ("+0.050", "")
    assert row(compare(A, B), "semantic_lift").difference == "+0.000"  # LSA, learned from the same corpus


def test_a_corpus_that_was_scrubbed_in_two_ways_is_named() -> None:
    comparison = compare(A, replace(B, digests={**B.digests, "scrubbed": "d" * 64}))
    assert note_on(comparison, "personal data was removed from it in different ways") and row(comparison, "bits_per_byte").note == ""


def test_unknown_digests_are_named() -> None:
    comparison = compare(A, replace(B, digests={}))
    assert note_on(comparison, "It is not known whether both were measured on the same texts")
    assert row(comparison, "perplexity").note == "tokenizer not known" and row(comparison, "semantic_lift").note == "corpus not known"


def test_settings_that_decide_the_measuring_are_named() -> None:
    assert note_on(compare(A, replace(B, settings={**B.settings, "seed": 7})), "These settings differ: seed.")


def test_a_comparison_that_was_measured_is_quoted() -> None:
    champion: dict[str, Any] = {
        "state": "measured", "champion": {"version": 1}, "reason": "better",
        "bits_per_byte": {"difference": {"value": -0.2, "low": -0.3, "high": -0.1}},
    }  # fmt: skip
    comparison = compare(A, replace(B, champion=champion))
    assert note_on(comparison, "When B was trained, both were measured on the same documents: -0.200 bits per byte against A")
    assert note_on(comparison, "(95 % interval -0.300 to -0.100); better.")
    assert compare(replace(A, version=7), replace(B, champion=champion)).notes == ()
    assert compare(replace(A, model="odes"), replace(B, champion=champion)).notes == ()


def test_only_settings_that_differ_are_listed() -> None:
    comparison = compare(A, B)
    assert (comparison.settings, comparison.equal_settings) == ((("train.epochs", "3", "10"),), 2)
    assert ("changed settings", "none", "train.epochs=10") in comparison.facts
    assert ("changed settings", "not known", "none") in compare(replace(A, changed=None), A).facts
    assert ("documents", "1,000", "1,000") in comparison.data


def test_gates_are_matched_by_metric() -> None:
    perplexity, bleu = compare(A, B).gates
    assert perplexity.rows[0] is not None and (perplexity.rows[0].value, perplexity.rows[1]) == ("40.0", None)
    assert bleu.rows[0] is None and bleu.rows[1] is not None and bleu.rows[1].verdict == "fail"


def test_samples_of_one_prompt_stand_together() -> None:
    shared, rest = compare(A, B).samples
    assert shared.same_prompt and [sample and sample["text"] for sample in shared.samples] == [" me", " you"]
    assert not rest.same_prompt and [sample and sample["text"] for sample in rest.samples] == [" sea", "!"]
    assert [pair.samples[1] for pair in compare(A, replace(B, samples=())).samples] == [None, None]


def test_nothing_known_is_compared_without_an_error() -> None:
    empty = compare(Measured("a"), Measured("b"))
    assert (empty.metrics, empty.gates, empty.samples, empty.settings, empty.equal_settings) == ((), (), (), (), 0)
