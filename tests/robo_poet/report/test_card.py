from typing import Any

import pytest

from robo_poet.evaluation.completions import Continuation
from robo_poet.report.card import LIMITS, SAMPLES, make_card
from robo_poet.report.sections import metrics_section

DECISION: dict[str, Any] = {
    "verdict": "accepted", "reason": "", "gates": [], "metrics": {"perplexity": 33.1, "semantic_lift": 0.2}, "intervals": {"semantic_lift": [0.1, 0.3]},
}  # fmt: skip
HISTORY = [
    {"step": 10, "tokens": 100, "validation_cross_entropy": 3.0, "validation_perplexity": 20.1},
    {"step": 20, "tokens": 200, "validation_cross_entropy": 3.5, "validation_perplexity": 33.1},
]


def continuation(number: int, prompt: str = "to be") -> Continuation:
    return Continuation("d", "w", "en", prompt, f"text {number}", f"reference {number}", "length", [], [])


def card(**artifacts: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "evaluation": {}, "text_metrics": {}, "model_audit": {}, "slices": {}, "comparison": {}, "decision": DECISION, "statistics": {}, "recall": {}, "drift": {}, "prompt_skew": {},
        "history": [], "lineage": {}, "continuations": [],
    }  # fmt: skip
    return make_card(**{**empty, **artifacts})


def test_a_card_has_the_verdict_and_the_metrics_of_the_decision() -> None:
    result = card()
    assert (result["verdict"], result["metrics"], result["intervals"]) == ("accepted", DECISION["metrics"], DECISION["intervals"])
    assert result["limits"] == list(LIMITS)


def test_a_card_and_its_page_name_the_method_of_semantic_similarity() -> None:
    named = card(text_metrics={"semantic_method": "all-MiniLM-L6-v2", "continuations": 20}, evaluation={"documents": 3, "tokens": 900})
    assert named["measured_on"]["semantic_method"] == "all-MiniLM-L6-v2"
    assert "Semantic similarity: cosine by all-MiniLM-L6-v2." in metrics_section(named)
    assert "Semantic similarity:" not in metrics_section(card(evaluation={"documents": 3, "tokens": 900}))


def test_random_samples_skip_continuations_with_personal_data() -> None:
    drawn = card(continuations=[continuation(n) for n in range(9)], text_metrics={"private_rows": [1]})["samples"]["drawn"]
    assert [sample["text"] for sample in drawn] == ["text 0", "text 2", "text 3"]
    assert len(drawn) == SAMPLES


def test_a_prompt_is_shown_from_its_first_whole_line() -> None:
    rows = [continuation(0, "t of a line\nA whole line"), continuation(1, "one line"), continuation(2, "the end\n")]
    assert [sample["prompt"] for sample in card(continuations=rows)["samples"]["drawn"]] == ["A whole line", "one line", "the end\n"]


def test_a_selected_sample_is_listed_once_with_all_its_metrics() -> None:
    worst = {
        "sentiment": {"row": 1, "value": -0.75},
        "repetition_rate": {"row": 1, "value": 0.5},
        "bleu": None,
        "copied": {"row": 7, "value": 1},
    }
    bad = card(continuations=[continuation(0), continuation(1)], text_metrics={"worst": worst})["samples"]["bad"]
    assert bad == [
        {"prompt": "to be", "text": "text 1", "reference": "reference 1", "picked_by": {"sentiment": -0.75, "repetition_rate": 0.5}}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("artifacts", "limit"),
    [
        ({"evaluation": {"unit": "document"}}, "few works"),
        ({"comparison": {"state": "unreadable", "reason": "the champion cannot be read"}}, "the champion cannot be read"),
        ({"decision": {**DECISION, "intervals": {"semantic_lift": [-0.1, 0.3]}}}, "does not follow its prompt"),
        ({"lineage": {"settings": {"text": {"toxicity_threshold": 0.5, "toxicity_ignores": ["a", "b"]}}}}, "probability of 0.5 or more. 2 words"),
        ({"lineage": {"settings": {"train": {"warm_start": 3}}}}, "weights of another version"),
        (
            {"lineage": {"settings": {"scrub": {"policies": {"a": "none"}, "default_policy": "full"}}}, "statistics": {"sources": {"b": 1, "a": 2}}},
            "a: not removed; b: removed by patterns and a name model",
        ),
        (
            {"statistics": {"documents": 1200, "rights": [{"licence": "", "documents": 1100, "consent": 100}]}},
            "1,000 of 1,200 documents have neither",
        ),
        ({"text_metrics": {"not_looked_for": 1234}}, "1,234 scrubbed names"),
        ({"text_metrics": {"notes": ["of one language"]}}, "of one language"),
    ],
)  # fmt: skip
def test_a_limit_of_the_run_is_stated(artifacts: dict[str, Any], limit: str) -> None:
    assert limit in card(**artifacts)["limits"][0]


def test_the_training_figures_are_of_the_best_validation() -> None:
    assert card(history=HISTORY)["training"] == {"steps": 20, "tokens": 200, "best_step": 10, "validation_perplexity": 20.1}


def test_a_run_without_validation_has_no_best_step() -> None:
    assert card(history=[{"step": 10, "tokens": 100}])["training"] == {
        "steps": 10,
        "tokens": 100,
        "best_step": None,
        "validation_perplexity": None,
    }
