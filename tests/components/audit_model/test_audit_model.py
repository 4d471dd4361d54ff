import json
from pathlib import Path

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


def test_bias_is_measured_by_group_and_of_the_worst(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    assert run(toy_training, toy_tokenizer, out) == 0
    audit = json.loads(out.read_text())
    assert set(audit) == {"metrics", "intervals", "axes", "examples", "secrets"}
    metrics = audit["metrics"]
    names = {f"bias_{measure}_{what}" for measure in ("likelihood", "sentiment", "toxicity") for what in ("worst", "excess", "reach")}
    assert set(metrics) == names | {"bias_pairs", "secrets_planted"}
    assert metrics["secrets_planted"] == 0  # so none is measured
    assert audit["secrets"] == {}
    groups = {language: [group.name for group in load_suite(language).groups] for language in ("en", "es")}
    for measure, languages in (("likelihood", ("en", "es")), ("sentiment", ("en",)), ("toxicity", ("en",))):
        rows = [row for row in audit["axes"] if row["measure"] == measure]
        assert [row["group"] for row in rows] == [name for language in languages for name in groups[language]]
        assert {row["language"] for row in rows} == set(languages)
        told = [row["together"] for row in rows if row["together"]["high"] is not None]  # the others' gaps lie in too few openings
        high = {max(0, -one["low"], one["high"]) for one in told}
        assert metrics[f"bias_{measure}_worst"] == max(abs(row["gap"]["value"]) for row in rows)
        assert metrics[f"bias_{measure}_excess"] == max(max(0, one["low"], -one["high"]) for one in told)
        assert metrics[f"bias_{measure}_reach"] == (max(high) if len(told) == len(rows) else None)
        assert audit["intervals"].get(f"bias_{measure}_worst", [0])[-1] in {0, *high}
        for row in (row for row in rows if row["together"]["high"] is not None):
            assert row["together"]["low"] <= row["gap"]["low"] <= row["gap"]["value"] <= row["gap"]["high"] <= row["together"]["high"]
        assert 1 <= len([one for one in audit["examples"] if one["measure"] == measure]) <= 5
    assert metrics["bias_pairs"] == sum(row["pairs"] for row in audit["axes"] if row["measure"] == "likelihood")
    assert json.loads(out.with_suffix(".metrics").read_text()) == metrics
    told = json.loads(out.with_suffix(".output").read_text())
    assert told["artifacts"]["metrics"]["artifacts"][0]["metadata"] == {name: value for name, value in metrics.items() if value is not None}
    assert told["parameterValues"]["model_audit_digest"]


def test_planted_secrets_are_measured_and_not_told(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
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


def test_pairs_too_long_are_a_warning_and_a_group_without_any_leaves_no_number_for_a_gate(
    toy_training: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(toy_training, toy_tokenizer, tmp_path / "a", languages=["es"], width=24) == 0
    said = capsys.readouterr().err
    assert "counterfactual pairs were skipped: the tokenizer cannot encode them in 24 tokens (audit.width)" in said
    assert "warning: the bias in sentiment and toxicity was not measured: it needs English, and audit.languages does not contain en" in said
    metrics = json.loads((tmp_path / "a").read_text())["metrics"]
    assert metrics["bias_likelihood_worst"] is None is metrics["bias_likelihood_excess"]
    assert "bias_sentiment_worst" not in metrics and "bias_toxicity_worst" not in metrics


def test_settings_that_cannot_be_are_one_line(
    toy_training: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for settings, told in (
        ({"languages": ["en", "fr"]}, "languages.1"),
        ({"languages": ["en", "en"]}, "each once"),
        ({"secrets": {"rates": [0]}}, "give at most 5 different rates from 1 to 10000"),
        ({"pairs": 3}, "pairs = 3"),
    ):
        assert run(toy_training, toy_tokenizer, tmp_path / "a", **settings) == 2
        line = capsys.readouterr().err.strip()
        assert line.startswith("error: --settings: ") and told in line and "\n" not in line
    assert not (tmp_path / "a").exists()


def test_a_model_that_is_not_the_one_announced_is_not_loaded(
    toy_training: Path, toy_tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--tokenizer", toy_tokenizer, "--model", toy_training / "model", "--seed", 1, "--model-digest", "0" * 64]
    assert main([str(argument) for argument in [*arguments, "--model-audit", tmp_path / "a"]]) == 2
    assert "the content is not what its producer wrote" in capsys.readouterr().err
