"""Reads the artifacts of the evaluation steps as the input of the gates."""

import json
from collections.abc import Mapping
from pathlib import Path

from robo_poet.errors import BadInput, read_object
from robo_poet.evaluation.gate_evidence import RUN_AGAIN, gate_input
from robo_poet.evaluation.step_metrics import StepMetrics
from robo_poet.judges.estimate import GateInput

METRIC_ARTIFACTS = ("evaluation", "text_metrics", "model_audit", "slices")
JUDGED_ARTIFACTS = ("slices", "comparison", "text_metrics", "model_audit")


def read_step_metrics(inputs: Mapping[str, Path]) -> StepMetrics:
    """Merge the metrics of all evaluation steps.

    Args:
        inputs: artifact name → path.

    Raises:
        BadInput: a file is not such an artifact, or two files contain the same metric.
    """
    step_metrics = [StepMetrics.from_json(read_object(inputs[name]), inputs[name]) for name in METRIC_ARTIFACTS]
    try:
        return StepMetrics.merge(step_metrics)
    except ValueError as error:
        raise BadInput(str(error), where="the evaluation", remedy=RUN_AGAIN) from None


def stopped_early(history: Path) -> bool:
    """Return True if the training ended because validation perplexity no longer improved.

    Args:
        history: the training curve of train_model, one JSON line per point.

    Raises:
        BadInput: the last line is not a JSON object.
    """
    lines = history.read_text("utf-8").splitlines()
    try:
        last = json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError as error:
        raise BadInput(f"the last line is not JSON: {error}", where=str(history), remedy="run the training again") from None
    if not isinstance(last, dict):
        raise BadInput(f"a JSON object is needed, not {type(last).__name__}", where=str(history), remedy=RUN_AGAIN)
    return bool(last.get("stopped_early"))


def read_gate_input(step_metrics: StepMetrics, inputs: Mapping[str, Path]) -> GateInput:
    """Return the input of the gates: the metrics, the slices and the comparison with the champion.

    Args:
        inputs: artifact name → path.

    Raises:
        BadInput: an artifact is malformed; the message names the file and the key.
    """
    return gate_input(step_metrics, {name: read_object(inputs[name]) for name in JUDGED_ARTIFACTS}, inputs)
