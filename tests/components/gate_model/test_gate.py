import json
from pathlib import Path
from typing import Any

import pytest

from components.gate_model.__main__ import main
from robo_poet.digest import digest_path

GATES = [{"metric": "perplexity", "max": 100.0}, {"metric": "bleu", "min": 0.01}]


def run(tmp_path: Path, evaluation: str | dict[str, Any], gates: Any = GATES, **options: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Exit status, decision and executor output of the step."""
    path = tmp_path / "evaluation.json"
    path.write_text(evaluation if isinstance(evaluation, str) else json.dumps(evaluation))
    given = {
        "evaluation": str(path),
        "evaluation-digest": digest_path(path),
        "gates": gates if isinstance(gates, str) else json.dumps(gates),
        "decision": str(tmp_path / "out" / "decision"),
        "metrics": str(tmp_path / "out" / "metrics"),
        "executor-output": str(tmp_path / "executor.json"),
        **options,
    }
    status = main([part for key, value in given.items() for part in (f"--{key}", value)])
    read = [json.loads(Path(given[key]).read_text()) if Path(given[key]).exists() else {} for key in ("decision", "executor-output")]
    return status, read[0], read[1]


def test_a_model_within_the_bounds_is_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, decision, output = run(tmp_path, {"metrics": {"perplexity": 80, "bleu": 0.02, "other": 1}})
    assert (status, decision["verdict"]) == (0, "accepted")
    assert decision["gates"][0] == {
        "metric": "perplexity", "value": 80, "bound": "<= 100", "verdict": "pass", "reason": "",
        "slice": "", "against": "", "low": None, "high": None, "unknown": False,
    }  # fmt: skip
    assert output["parameterValues"] == {"verdict": "accepted", "decision_digest": digest_path(tmp_path / "out" / "decision")}
    assert output["artifacts"]["metrics"]["artifacts"][0]["metadata"] == {"perplexity": 80, "bleu": 0.02, "gates_failed": 0}
    assert capsys.readouterr().err == "[100 %] accepted: passed 2 of 2 gates\n"


@pytest.mark.parametrize(
    ("evaluation", "gates", "reason"),
    [
        ('{"metrics": {"perplexity": 120, "bleu": 1}}', GATES, "perplexity is 120, above 100"),
        ('{"metrics": {"perplexity": NaN, "bleu": 1}}', GATES, "perplexity is nan, no finite number"),
        ('{"metrics": {"perplexity": Infinity, "bleu": 1}}', GATES, "perplexity is inf, no finite number"),
        ('{"metrics": {"perplexity": "low", "bleu": 1}}', GATES, "perplexity is low, no finite number"),
        ('{"metrics": {"perplexity": null, "bleu": 1}}', GATES, "perplexity is None, no finite number"),
        ('{"metrics": {"perplexity": 50}}', GATES, "bleu was not measured"),
        ('{"metrics": {"perplexity": 50}}', [], "no gate is declared"),
    ],
)
def test_a_rejected_model_is_a_normal_outcome_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], evaluation: str, gates: Any, reason: str
) -> None:
    status, decision, output = run(tmp_path, evaluation, gates)
    assert (status, decision["verdict"], decision["reason"]) == (0, "rejected", reason)
    assert output["parameterValues"]["verdict"] == "rejected"
    assert f"warning: the model is rejected: {reason}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("evaluation", "gates", "message"),
    [
        ("{", GATES, "not JSON"),
        ("[1]", GATES, "a JSON object is needed, not list"),
        ('{"metric": {}}', GATES, "the evaluation has no metrics; run the evaluation again"),
        ('{"metrics": {}}', "{", "--gates: invalid json"),
        ('{"metrics": {}}', {}, "--gates: input should be a valid array"),
        ('{"metrics": {}}', [GATES[0], {"metric": "bleu"}], "--gates: gate 2: value error, gate on bleu has no bound"),
        ('{"metrics": {}}', [{"metric": "bleu", "max": 1, "maximum": 2}], "--gates: gate 1.maximum: extra inputs are not permitted"),
        (
            '{"metrics": {}}',
            [{"metric": "bleu", "against": "champion"}],
            "--gates: gate 1: value error, gate on bleu against the champion has no margin",
        ),
        (
            '{"metrics": {}}',
            [{"metric": "bleu", "min": 0, "slice": "author"}],
            "--gates: gate 1.slice: value error, 'author' is not feature=value",
        ),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], evaluation: str, gates: Any, message: str) -> None:
    status, decision, _ = run(tmp_path, evaluation, gates)
    assert (status, decision) == (2, {})
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_another_evaluation_than_the_producers_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, {"metrics": {}}, **{"evaluation-digest": "0" * 64})[0] == 2
    assert "not what its producer wrote" in capsys.readouterr().err


def test_the_kubeflow_face_names_the_programs_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    from components.gate_model.component import GROUP, gate_model

    spec = gate_model.component_spec
    assert GROUP == "registry"
    assert set(spec.outputs) == {"decision", "decision_digest", "verdict", "metrics"}
    assert all(value.description for value in spec.inputs.values())
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(flag in text for flag in spec.implementation.container.args if str(flag).startswith("--"))
