"""What a card keeps gives the gates the same input as the artifacts. tests/components/gate_model/test_evidence.py has malformed artifacts."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.gate_model.evidence import METRIC_ARTIFACTS, read_gate_input, read_step_metrics
from robo_poet.errors import BadInput
from robo_poet.evaluation.gate_evidence import card_evidence, gate_input
from robo_poet.judges.decision import judge_gates
from robo_poet.judges.gate import Gate
from robo_poet.report.card import make_card

ESTIMATE = {"value": 0.02, "low": -0.01, "high": 0.05, "units": 30}
ARTIFACTS: dict[str, dict[str, Any]] = {
    "evaluation": {"metrics": {"perplexity": 57.3, "bits_per_byte": 2.464}, "intervals": {"perplexity": [55.3, 59.4]}, "units": 30},
    "text_metrics": {
        "metrics": {"bleu": None}, "shortages": {"bleu": {"what": "prompts", "needed": 30, "there": 12, "kind": "amount"}},
        "difference": {"bleu": ESTIMATE}, "unit": "prompt",
    },
    "model_audit": {
        "metrics": {"bias_likelihood_reach": 0.5},
        "axes": [{"measure": "likelihood", "axis": "gender", "group": "women", "language": "en", "pairs": 40, "together": ESTIMATE}],
    },
    "slices": {
        "metrics": {}, "min_documents": 5, "left_out": [{"columns": ["author"], "slices": 3}],
        "slices": [
            {"key": "", "documents": 40, "metrics": {"perplexity": ESTIMATE}, "difference": {"bits_per_byte": ESTIMATE}},
            {"key": "author=Ann", "documents": 30, "works": 4, "unit": "work", "metrics": {"perplexity": ESTIMATE}, "difference": {"bits_per_byte": ESTIMATE}},
            {"key": "author=Ben", "documents": 2, "metrics": {"perplexity": ESTIMATE}},
        ],
    },
    "comparison": {"state": "measured", "unit": "document", "bits_per_byte": {"difference": ESTIMATE}, "champion": {"version": 1, "digest": "d"}},
}  # fmt: skip
GATES = [
    Gate("perplexity", max=60), Gate("perplexity", max=150, slice="author=*", on_unknown="pass"), Gate("bleu", min=0.1, on_unknown="warn"),
    Gate("bits_per_byte", against="champion", margin=0.05), Gate("bits_per_byte", against="champion", margin=0.01, slice="author=Ann"),
    Gate("bleu", against="champion", margin=0.1), Gate("bias_likelihood_reach", max=0.4), Gate("toxic_share", max=0.1),
]  # fmt: skip


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / name for name in (*METRIC_ARTIFACTS, "comparison")}
    for name, path in paths.items():
        path.write_text(json.dumps(ARTIFACTS[name]))
    return paths


def stored(inputs: dict[str, Path]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return card and decision as a version keeps them."""
    metrics = read_step_metrics(inputs)
    decision = judge_gates(read_gate_input(metrics, inputs), GATES).to_json() | metrics.to_json()
    card = make_card(
        **ARTIFACTS, decision=decision, statistics={}, recall={}, drift={}, prompt_skew={}, history=[], lineage={}, continuations=[]
    )
    return json.loads(json.dumps(card, sort_keys=True, allow_nan=False)), json.loads(json.dumps(decision, allow_nan=False))


def test_a_card_gives_every_gate_the_same_result(inputs: dict[str, Path]) -> None:
    card, decision = stored(inputs)
    metrics, artifacts = card_evidence(card, decision, "poems/1")
    judged = gate_input(metrics, artifacts, dict.fromkeys(artifacts, "poems/1"))
    assert json.loads(json.dumps(judge_gates(judged, GATES).to_json())) == {
        key: value for key, value in decision.items() if key not in ("metrics", "intervals", "shortages")
    }
    assert {gate["verdict"] for gate in decision["gates"]} == {"pass", "fail", "open"}


@pytest.mark.parametrize("name", ["slices", "champion", "champion_texts", "measured_on", "bias"])
def test_a_card_of_an_earlier_release_is_one_line(inputs: dict[str, Path], name: str) -> None:
    card, decision = stored(inputs)
    del card[name]
    with pytest.raises(BadInput, match="poems/1: its card does not have all that the gates read; run the pipeline"):
        card_evidence(card, decision, "poems/1")
