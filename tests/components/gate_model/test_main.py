import json
from pathlib import Path
from typing import Any

import pytest

from components.gate_model.__main__ import main
from robo_poet.digest import digest_path

GATES = [{"metric": "perplexity", "max": 100.0}, {"metric": "bleu", "min": 0.01}]


NOTHING = {"metrics": {}}
SLICES = {
    "metrics": {"slices": 2},
    "slices": [
        {"key": "", "documents": 40, "metrics": {"bits_per_byte": {"value": 2.0, "low": 1.9, "high": 2.1}}, "difference": None},
        {
            "key": "author=Ann", "documents": 30, "metrics": {"bits_per_byte": {"value": 2.2, "low": 2.1, "high": 2.3}},
            "difference": {"bits_per_byte": {"value": 0.3, "low": 0.2, "high": 0.4}},
        },
        {"key": "author=Bob", "documents": 3, "metrics": {"bits_per_byte": {"value": 9.0, "low": None, "high": None}}, "difference": None},
    ],
}  # fmt: skip
COMPARED = {"state": "measured", "bits_per_byte": {"difference": {"value": 0.01, "low": -0.01, "high": 0.03, "units": 12}}}
ONLY = {"perplexity": 80, "bits_per_byte": 2.0}


def run(tmp_path: Path, evaluation: str | dict[str, Any], gates: Any = GATES, **options: Any) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Exit status, decision and executor output of the step; `options` replace other artifacts, as in `slices=…`, or options of the step."""
    artifacts = {
        "evaluation": evaluation,
        "text_metrics": NOTHING,
        "model_audit": NOTHING,
        "slices": NOTHING,
        "comparison": {"state": "none"},
        "history": {"step": 40},
    }
    options_of_step = {"gates": gates if isinstance(gates, str) else json.dumps(gates), "remedies": json.dumps(options.pop("remedies", {}))}
    for name in artifacts:
        value = options.pop(name, artifacts[name])
        (tmp_path / name).write_text(value if isinstance(value, str) else json.dumps(value))
        flag = name.replace("_", "-")
        options_of_step |= {flag: str(tmp_path / name), f"{flag}-digest": digest_path(tmp_path / name)}
    options_of_step |= {
        "decision": str(tmp_path / "out" / "decision"),
        "metrics": str(tmp_path / "out" / "metrics"),
        "executor-output": str(tmp_path / "executor.json"),
        **options,
    }
    status = main([part for key, value in options_of_step.items() for part in (f"--{key}", value)])
    written = [
        json.loads(Path(options_of_step[key]).read_text()) if Path(options_of_step[key]).exists() else {}
        for key in ("decision", "executor-output")
    ]
    return status, written[0], written[1]


def test_a_model_within_the_bounds_is_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, decision, output = run(tmp_path, {"metrics": {"perplexity": 80, "bleu": 0.02, "other": 1}})
    assert (status, decision["verdict"]) == (0, "accepted")
    assert decision["gates"][0] == {
        "metric": "perplexity", "value": 80, "bound": "<= 100", "verdict": "pass", "reason": "",
        "slice": "", "against": "", "low": None, "high": None, "unknown": False, "proven": None,
        "kind": "", "what": "", "needed": None, "there": None, "remedy": "",
    }  # fmt: skip
    assert output["parameterValues"] == {
        "verdict": "accepted",
        "open_questions": "[]",
        "decision_digest": digest_path(tmp_path / "out" / "decision"),
    }
    assert output["artifacts"]["metrics"]["artifacts"][0]["metadata"] == {
        "perplexity": 80,
        "bleu": 0.02,
        "gates_failed": 0,
        "gates_open": 0,
    }
    assert capsys.readouterr().err == "[100 %] accepted: 2 of 2 gates passed\n"


@pytest.mark.parametrize(
    ("history", "remedy"),
    [
        ('{"step": 10}\n{"step": 20}\n', "--set train.epochs=12"),
        ('{"step": 10}\n{"step": 20, "stopped_early": true}\n', "--set train.units=512"),
        ("", "--set train.epochs=12"),
    ],
)
def test_more_epochs_are_no_remedy_after_early_stopping(tmp_path: Path, history: str, remedy: str) -> None:
    remedies = {"quality": {"": "--set train.epochs=12"}, "converged": {"": "--set train.units=512"}}
    _, decision, _ = run(tmp_path, {"metrics": {"perplexity": 120, "bleu": 1}}, history=history, remedies=remedies)
    assert [gate["remedy"] for gate in decision["gates"]] == [remedy, ""]


@pytest.mark.parametrize(
    ("evaluation", "gates", "reason"),
    [
        ('{"metrics": {"perplexity": 120, "bleu": 1}}', GATES, "perplexity is 120, above 100"),
        ('{"metrics": {"perplexity": NaN, "bleu": 1}}', GATES, "perplexity is nan, not a finite number"),
        ('{"metrics": {"perplexity": Infinity, "bleu": 1}}', GATES, "perplexity is inf, not a finite number"),
        ('{"metrics": {"perplexity": "low", "bleu": 1}}', GATES, "perplexity is low, not a finite number"),
        ('{"metrics": {"perplexity": null, "bleu": 1}}', GATES, "perplexity could not be measured"),
        ('{"metrics": {"perplexity": 50}}', GATES, "bleu was not measured"),
        ('{"metrics": {"perplexity": 50}}', [], "the profile declares no gate"),
    ],
)
def test_a_rejected_model_ends_the_step_with_a_warning_and_status_0(
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
        ('{"metric": {}}', GATES, "evaluation: the metrics are missing; run the evaluation again"),
        ('{"metrics": {}}', "{", "--gates: invalid JSON"),
        ('{"metrics": {}}', {}, "--gates: input should be a valid array"),
        ('{"metrics": {}}', [GATES[0], {"metric": "bleu"}], "--gates: gate 2: gate on bleu has no bound"),
        ('{"metrics": {}}', [{"metric": "bleu", "max": 1, "maximum": 2}], "--gates: gate 1.maximum: unexpected keyword argument"),
        (
            '{"metrics": {}}',
            [{"metric": "bleu", "against": "champion"}],
            "--gates: gate 1: gate on bleu against the champion needs a margin",
        ),
        (
            '{"metrics": {}}',
            [{"metric": "bleu", "min": 0, "slice": "author"}],
            "--gates: gate 1: gate on bleu: wrong slice: 'author' is not feature=value",
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


def test_the_metrics_of_all_steps_are_judged_and_written_to_the_decision(tmp_path: Path) -> None:
    parts = {
        name: {"metrics": {metric: 0.01}, "intervals": {metric: [0.0, 0.02]}}
        for name, metric in (("text_metrics", "copied_share"), ("model_audit", "bias_likelihood_excess"))
    }
    gates = [{"metric": "copied_share", "max": 0.05}, {"metric": "bias_likelihood_excess", "max": 0.1}, {"metric": "slices", "min": 1}]
    status, decision, _ = run(tmp_path, {"metrics": ONLY}, gates, slices=SLICES, **parts)
    assert (status, decision["verdict"]) == (0, "accepted")
    assert decision["metrics"] == {**ONLY, "copied_share": 0.01, "bias_likelihood_excess": 0.01, "slices": 2}
    assert decision["intervals"] == {"copied_share": [0, 0.02], "bias_likelihood_excess": [0, 0.02]}
    assert [(gate["low"], gate["high"]) for gate in decision["gates"]] == [(0, 0.02), (0, 0.02), (None, None)]


@pytest.mark.parametrize(
    ("comparison", "margin", "verdict", "reason"),
    [
        (COMPARED, 0.05, "accepted", ""),
        (
            COMPARED,
            0.02,
            "rejected",
            "bits_per_byte is from 0.01 better to 0.03 worse than the champion: the margin 0.02 may be exceeded; 12 units of held-out text, 48 needed",
        ),
        ({"state": "none"}, 0.0, "accepted", ""),
        ({"state": "unreadable", "reason": "x"}, 0.5, "rejected", "bits_per_byte cannot be compared: the champion could not be measured"),
        ({}, 0.5, "rejected", "bits_per_byte cannot be compared: the champion could not be measured"),
        ({"state": "measured"}, 0.5, "rejected", "bits_per_byte was not compared with the champion"),
        ({"state": "nobody"}, 0.5, "rejected", "bits_per_byte cannot be compared: the champion could not be measured"),
    ],
)
def test_against_the_champion(tmp_path: Path, comparison: dict[str, Any], margin: float, verdict: str, reason: str) -> None:
    gate = {"metric": "bits_per_byte", "against": "champion", "margin": margin}
    _, decision, _ = run(tmp_path, {"metrics": ONLY}, [gate], comparison=comparison)
    assert (decision["verdict"], decision["reason"]) == (verdict, reason)


@pytest.mark.parametrize(
    ("low", "high", "on_unknown", "reason"),
    [
        (-0.001, 0.002, "reject", ""),
        (
            -0.02,
            0.002,
            "reject",
            "bleu is from 0.002 better to 0.02 worse than the champion: the margin 0.005 may be exceeded; 30 units of held-out text, 227 needed",
        ),
        (-0.02, 0.002, "pass", ""),
        (-0.02, -0.01, "pass", "bleu is at least 0.01 worse than the champion, more than the margin 0.005"),
        (None, None, "reject", "bleu cannot be compared: 30 units of held-out text, 60 needed"),
    ],
)
def test_bleu_against_the_champion(tmp_path: Path, low: float | None, high: float | None, on_unknown: str, reason: str) -> None:
    texts = {
        "metrics": {"bleu": 0.002},
        "difference": {"bleu": {"value": ((low or 0) + (high or 0)) / 2, "low": low, "high": high, "units": 30}},
    }
    gate = {"metric": "bleu", "against": "champion", "margin": 0.005, "on_unknown": on_unknown}
    _, decision, _ = run(tmp_path, {"metrics": ONLY}, [gate], comparison=COMPARED, text_metrics=texts)
    assert decision["reason"] == reason
    _, decision, _ = run(tmp_path, {"metrics": ONLY}, [gate], text_metrics={**texts, "difference": {}})
    assert (decision["verdict"], decision["gates"][0]["reason"]) == ("accepted", "no champion yet")


def test_a_gate_on_each_author_fails_for_a_slice_without_an_interval(tmp_path: Path) -> None:
    gate = {"metric": "bits_per_byte", "max": 2.5, "slice": "author=*"}
    _, decision, _ = run(tmp_path, {"metrics": ONLY}, [gate], slices=SLICES)
    assert decision["reason"] == "bits_per_byte of author=Bob cannot be judged: 3 documents of author=Bob, 5 needed"
    assert [(row["slice"], row["verdict"], row["unknown"]) for row in decision["gates"]] == [
        ("author=Ann", "pass", False),
        ("author=Bob", "fail", True),
    ]
    against = {"metric": "bits_per_byte", "against": "champion", "margin": 0.1, "slice": "author=*", "on_unknown": "pass"}
    _, decision, _ = run(tmp_path, {"metrics": ONLY}, [against], slices=SLICES, comparison=COMPARED)
    assert decision["reason"] == "bits_per_byte of author=Ann is at least 0.2 worse than the champion, more than the margin 0.1"


def test_slices_with_too_few_documents_and_slices_that_are_left_out_are_unknown(tmp_path: Path) -> None:
    few = {**SLICES, "min_documents": 31, "left_out": [{"columns": ["author"], "slices": 12, "documents": 40}]}
    gate = {"metric": "bits_per_byte", "max": 9.5, "slice": "author=*"}
    _, decision, _ = run(tmp_path, {"metrics": ONLY}, [gate], slices=few)
    assert {row["slice"]: row["unknown"] for row in decision["gates"]} == {"author=(12 more)": True, "author=Ann": True, "author=Bob": True}
    assert decision["verdict"] == "rejected"


def test_a_metric_from_two_steps_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, {"metrics": ONLY}, model_audit={"metrics": {"perplexity": 1}})[0] == 2
    assert "two steps measured perplexity" in capsys.readouterr().err


def test_an_evaluation_with_another_digest_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, {"metrics": {}}, **{"evaluation-digest": "0" * 64})[0] == 2
    assert "not what its producer wrote" in capsys.readouterr().err


SHORT = {"what": "prompts in group religion/atheists", "needed": 15, "there": 11, "remedy": "--set audit.prompts=45"}
REACH = {"metric": "bias_sentiment_reach", "max": 0.5}


def test_an_open_question_is_a_second_result_and_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit = {"metrics": {"bias_sentiment_reach": None}, "shortages": {"bias_sentiment_reach": SHORT}}
    gates = [{"metric": "perplexity", "max": 100}, {**REACH, "on_unknown": "warn"}]
    status, decision, output = run(tmp_path, {"metrics": ONLY}, gates, model_audit=audit)
    assert (status, decision["verdict"], output["parameterValues"]["verdict"]) == (0, "accepted", "accepted")
    [question] = json.loads(output["parameterValues"]["open_questions"])
    assert question == decision["open_questions"][0]
    assert question == {
        **SHORT, "metric": "bias_sentiment_reach", "against": "", "slice": "",
        "reason": "bias_sentiment_reach could not be measured: 11 prompts in group religion/atheists, 15 needed",
    }  # fmt: skip
    assert output["artifacts"]["metrics"]["artifacts"][0]["metadata"]["gates_open"] == 1
    assert capsys.readouterr().err == f"warning: open question: {question['reason']}\n[100 %] accepted: 1 of 2 gates passed, 1 open\n"
    _, decision, _ = run(tmp_path, {"metrics": ONLY}, [gates[0], REACH], model_audit=audit)
    assert (decision["verdict"], decision["open_questions"], decision["gates"][1]["remedy"]) == ("rejected", [], SHORT["remedy"])


def test_a_failed_gate_has_the_remedy_of_the_parameter(tmp_path: Path) -> None:
    remedies = {"quality": {"": "--set train.epochs=12"}}
    _, decision, _ = run(tmp_path, {"metrics": {"perplexity": 120}}, [{"metric": "perplexity", "max": 100}], remedies=remedies)
    assert decision["gates"][0]["remedy"] == "--set train.epochs=12"


@pytest.mark.parametrize(
    ("shortage", "message"),
    [
        ({"what": "x"}, "shortages: a shortage needs what, needed and there"),
        ({**SHORT, "needed": "15"}, "shortages: a shortage has a value"),
    ],
)
def test_a_malformed_shortage_is_one_line_of_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shortage: dict[str, Any], message: str
) -> None:
    assert run(tmp_path, {"metrics": ONLY, "shortages": {"perplexity": shortage}})[0] == 2
    assert message in capsys.readouterr().err


def test_malformed_remedies_are_one_line_of_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, {"metrics": ONLY}, remedies={"quality": {"": 3}})[0] == 2
    assert capsys.readouterr().err.startswith("error: --remedies.quality")
