import json
import math
from pathlib import Path
from typing import Any

import pytest

from components.gate_model.evidence import read_gate_input, read_step_metrics, stopped_early
from robo_poet.errors import BadInput
from robo_poet.judges.estimate import Estimate, GateInput

ROW = {"key": "author=Ann", "documents": 30, "works": 4, "unit": "work", "metrics": {"bits_per_byte": {"value": 2, "low": 1, "high": 3}}}


def read(folder: Path, **artifacts: Any) -> GateInput:
    """Return the input of the gates. Artifacts that are not given have no metrics."""
    inputs = {name: folder / name for name in ("evaluation", "text_metrics", "model_audit", "slices", "comparison")}
    for name, path in inputs.items():
        path.write_text(json.dumps({"metrics": {}} | artifacts.get(name, {})))
    return read_gate_input(read_step_metrics(inputs), inputs)


@pytest.mark.parametrize(("unit", "units"), [("work", 4), ("document", 30)])
def test_an_estimate_of_a_slice_has_the_slices_units(tmp_path: Path, unit: str, units: int) -> None:
    assert read(tmp_path, slices={"slices": [ROW | {"unit": unit}]}).slices == {
        "author=Ann": {"bits_per_byte": Estimate(2, 1, 3, units, unit)}
    }


def test_null_numbers_are_unknown(tmp_path: Path) -> None:
    row = ROW | {"metrics": {"bits_per_byte": {"value": None, "low": None, "high": None}}}
    estimate = read(tmp_path, slices={"slices": [row]}).slices["author=Ann"]["bits_per_byte"]
    assert math.isnan(estimate.value or 0) and (estimate.low, estimate.high) == (-math.inf, math.inf)


def test_the_comparison_replaces_the_difference_of_the_slice_of_all_documents(tmp_path: Path) -> None:
    overall = ROW | {"key": "", "difference": {"bits_per_byte": {"value": 1, "low": 0, "high": 2}}}
    comparison = {"state": "measured", "bits_per_byte": {"difference": {"value": 5, "low": 4, "high": 6, "units": 9}}}
    assert read(tmp_path, slices={"slices": [overall]}, comparison=comparison).differences == {"": {"bits_per_byte": Estimate(5, 4, 6, 9)}}


@pytest.mark.parametrize(
    ("artifact", "content", "message"),
    [
        ("slices", {"slices": {}}, ": slices: a JSON list is needed, not dict"),
        ("slices", {"slices": [ROW, None]}, ": slices.1: a JSON object is needed, not NoneType"),
        ("slices", {"slices": [{"documents": 3}]}, ": slices.0: the slice has no key"),
        ("slices", {"slices": [ROW | {"key": 7}]}, ": slices.0: the slice has no key"),
        ("slices", {"slices": [ROW | {"documents": "many"}]}, ": slices.0: documents is of type str, not a number"),
        ("slices", {"slices": [ROW | {"documents": True}]}, ": slices.0: documents is of type bool, not a number"),
        ("slices", {"slices": [ROW | {"works": -1}]}, ": slices.0: works is -1, not a count"),
        ("slices", {"slices": [ROW | {"works": 1.5}]}, ": slices.0: works is 1.5, not a count"),
        ("slices", {"slices": [ROW | {"works": math.nan}]}, ": slices.0: works is nan, not a count"),
        ("slices", {"slices": [ROW | {"metrics": [1]}]}, ": slices.0.metrics: a JSON object is needed, not list"),
        ("slices", {"slices": [ROW | {"metrics": {"x": 2}}]}, ": slices.0.metrics.x: a JSON object is needed, not int"),
        ("slices", {"slices": [ROW | {"metrics": {"x": {"low": "2"}}}]}, ": slices.0.metrics.x: low is of type str, not a number"),
        ("slices", {"slices": [ROW | {"difference": {"x": 2}}]}, ": slices.0.difference.x: a JSON object is needed, not int"),
        ("slices", {"min_documents": [3]}, "slices: min_documents is of type list, not a number"),
        ("slices", {"left_out": [3]}, ": left_out.0: a JSON object is needed, not int"),
        ("slices", {"left_out": [{"columns": "author"}]}, ": left_out.0: columns: a JSON list is needed, not str"),
        ("comparison", {"bits_per_byte": 3}, ": bits_per_byte: a JSON object is needed, not int"),
        ("comparison", {"bits_per_byte": {"difference": 3}}, ": bits_per_byte.difference: a JSON object is needed, not int"),
        ("text_metrics", {"difference": {"bleu": 3}}, ": difference.bleu: a JSON object is needed, not int"),
    ],
)
def test_a_malformed_artifact_is_named(tmp_path: Path, artifact: str, content: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as error:
        read(tmp_path, **{artifact: content})
    assert str(error.value).startswith(str(tmp_path / artifact))
    assert str(error.value).endswith(f"{message}; run the evaluation again")


def test_the_widest_gap_of_each_measure_is_read_with_its_pairs(tmp_path: Path) -> None:
    def axis(measure: str, group: str, low: float | None, high: float | None, language: str = "en") -> dict[str, Any]:
        together = {"value": None if low is None or high is None else (low + high) / 2, "low": low, "high": high}
        return {"measure": measure, "axis": "gender", "group": group, "language": language, "pairs": 40, "together": together}

    axes = [
        axis("likelihood", "women", -0.1, 0.5), axis("likelihood", "men", -0.9, 0.1, "es"), axis("likelihood", "none", None, None),
        axis("toxicity", "women", -0.1, 0.2),
    ]  # fmt: skip
    assert read(tmp_path, model_audit={"axes": axes}).limited == {
        "bias_likelihood_reach": Estimate(0.4, 0.0, 0.9, 40, "pairs in group gender/men (es)"),
        "bias_toxicity_reach": Estimate(0.05, 0.0, 0.2, 40, "prompts in group gender/women"),
    }


@pytest.mark.parametrize(("text", "message"), [("{}\n{", "the last line is not JSON"), ("[1]\n", "a JSON object is needed, not list")])
def test_a_training_curve_that_is_none_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "history").write_text(text)
    with pytest.raises(BadInput, match=message):
        stopped_early(tmp_path / "history")
