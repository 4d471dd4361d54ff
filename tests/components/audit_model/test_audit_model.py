"""The whole step on a toy model. Covers: bias."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.audit_model.__main__ import main
from components.audit_model.suite import load_suite
from robo_poet.privacy.canary_strings import planted
from robo_poet.settings.train import PlantedSecretsSettings

SMALL = {"pairs": 20, "prompts": 15, "completion_tokens": 10, "width": 128, "candidates": 31, "attempts": 1}


def run(training: Path, tokenizer: Path, out: Path, **settings: object) -> int:
    arguments = ["--tokenizer", tokenizer, "--model", training / "model", "--seed", 1, "--settings", json.dumps(SMALL | settings)]
    arguments += ["--model-audit", out, "--metrics", out.with_suffix(".metrics"), "--executor-output", out.with_suffix(".output")]
    return main([str(argument) for argument in arguments])


MEASURES = (("likelihood", ("en", "es")), ("sentiment", ("en",)), ("toxicity", ("en",)))


@pytest.fixture(scope="module")
def output(toy_training: Path, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of an audit without canary strings; the views lie beside it."""
    out = tmp_path_factory.mktemp("audit") / "audit"
    assert run(toy_training, toy_tokenizer, out) == 0
    return out


@pytest.fixture(scope="module")
def audit(output: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(output.read_text())
    return content


def rows_of(audit: dict[str, Any], measure: str) -> list[dict[str, Any]]:
    return [row for row in audit["axes"] if row["measure"] == measure]


def test_the_artifact_has_three_bias_metrics_of_each_measure(audit: dict[str, Any]) -> None:
    assert set(audit) == {"metrics", "intervals", "axes", "examples", "secrets", "shortages"}
    names = {f"bias_{measure}_{what}" for measure, _ in MEASURES for what in ("worst", "excess", "reach")}
    assert set(audit["metrics"]) == names | {"bias_pairs", "secrets_planted"}
    assert audit["metrics"]["bias_pairs"] == sum(row["pairs"] for row in rows_of(audit, "likelihood"))


def test_without_planted_canary_strings_none_are_measured(audit: dict[str, Any]) -> None:
    assert audit["metrics"]["secrets_planted"] == 0
    assert audit["secrets"] == {}


@pytest.mark.parametrize(("measure", "languages"), MEASURES)
def test_each_group_of_each_language_has_a_row(measure: str, languages: tuple[str, ...], audit: dict[str, Any]) -> None:
    rows = rows_of(audit, measure)
    assert [row["group"] for row in rows] == [group.name for language in languages for group in load_suite(language).groups]
    assert {row["language"] for row in rows} == set(languages)


@pytest.mark.parametrize("measure", [measure for measure, _ in MEASURES])
def test_the_metrics_are_the_worst_of_the_groups(measure: str, audit: dict[str, Any]) -> None:
    rows, metrics = rows_of(audit, measure), audit["metrics"]
    bounded = [row["together"] for row in rows if row["together"]["high"] is not None]  # the others have gaps of too few prompts
    upper_bounds = {max(0, -limits["low"], limits["high"]) for limits in bounded}
    assert metrics[f"bias_{measure}_worst"] == max(abs(row["gap"]["value"]) for row in rows)
    assert metrics[f"bias_{measure}_excess"] == max(max(0, limits["low"], -limits["high"]) for limits in bounded)
    assert metrics[f"bias_{measure}_reach"] == (max(upper_bounds) if len(bounded) == len(rows) else None)
    assert audit["intervals"].get(f"bias_{measure}_worst", [0])[-1] in {0, *upper_bounds}


@pytest.mark.parametrize("measure", [measure for measure, _ in MEASURES])
def test_simultaneous_intervals_contain_those_of_single_groups(measure: str, audit: dict[str, Any]) -> None:
    for row in (row for row in rows_of(audit, measure) if row["together"]["high"] is not None):
        assert row["together"]["low"] <= row["gap"]["low"] <= row["gap"]["value"] <= row["gap"]["high"] <= row["together"]["high"]


@pytest.mark.parametrize("measure", [measure for measure, _ in MEASURES])
def test_each_measure_has_one_to_five_examples(measure: str, audit: dict[str, Any]) -> None:
    assert 1 <= len([example for example in audit["examples"] if example["measure"] == measure]) <= 5


def test_the_views_and_outputs_hold_the_metrics(output: Path, audit: dict[str, Any]) -> None:
    metrics = audit["metrics"]
    assert json.loads(output.with_suffix(".metrics").read_text()) == metrics
    outputs = json.loads(output.with_suffix(".output").read_text())
    metadata = outputs["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    assert metadata == {name: value for name, value in metrics.items() if value is not None}
    assert outputs["parameterValues"]["model_audit_digest"]


def test_canary_strings_are_measured_and_never_written(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    secrets = {"rates": [1, 4], "per_rate": 2}
    for name in ("a", "b"):
        assert run(toy_training, toy_tokenizer, tmp_path / name, languages=["en"], secrets=secrets) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    text = (tmp_path / "a").read_text()
    audit = json.loads(text)
    metrics = audit["metrics"]
    assert metrics["secrets_planted"] == 0, "what the model's manifest says, whatever is asked for"
    assert metrics["secret_extraction_rate"] == 0  # the toy model never saw them
    assert audit["intervals"]["secret_extraction_rate"] == [0, round(1 - 0.025 ** (1 / 4), 6)]  # of 4, exact
    assert 0 <= metrics["secret_exposure_mean"] <= metrics["secret_exposure_max"] <= 5  # log2(31 + 1)
    assert 0 <= metrics["secret_exposure_control"] <= 5 and audit["secrets"]["most_measurable"] == 5
    assert [one["rate"] for one in audit["secrets"]["rates"]] == [1, 4]
    for one in planted(PlantedSecretsSettings.model_validate(secrets), 1):
        assert one.secret not in text and one.prefix not in text


def test_too_long_pairs_are_a_warning_and_leave_no_bias_metric(
    toy_training: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(toy_training, toy_tokenizer, tmp_path / "a", languages=["es"], width=24) == 0
    said = capsys.readouterr().err
    assert "counterfactual pairs were skipped: the tokenizer cannot encode them in 24 tokens (audit.width)" in said
    assert "warning: the bias in sentiment and toxicity was not measured: it needs English, and audit.languages does not contain en" in said
    metrics = json.loads((tmp_path / "a").read_text())["metrics"]
    assert metrics["bias_likelihood_worst"] is None is metrics["bias_likelihood_excess"]
    assert "bias_sentiment_worst" not in metrics and "bias_toxicity_worst" not in metrics


def test_invalid_settings_are_one_line_of_error(
    toy_training: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for settings, told in (
        ({"languages": ["en", "fr"]}, "languages.1"),
        ({"languages": ["en", "en"]}, "a language is listed twice"),
        ({"secrets": {"rates": [0]}}, "give at most 5 different rates from 1 to 10000"),
        ({"pairs": 3}, "pairs = 3"),
    ):
        assert run(toy_training, toy_tokenizer, tmp_path / "a", **settings) == 2
        line = capsys.readouterr().err.strip()
        assert line.startswith("error: --settings: ") and told in line and "\n" not in line
    assert not (tmp_path / "a").exists()


def test_a_model_with_another_digest_is_refused(
    toy_training: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--tokenizer", toy_tokenizer, "--model", toy_training / "model", "--seed", 1, "--model-digest", "0" * 64]
    assert main([str(argument) for argument in [*arguments, "--model-audit", tmp_path / "a"]]) == 2
    assert "the content is not what its producer wrote" in capsys.readouterr().err
