"""What a person sees in the Kubeflow UI, as docs/reference/kubeflow-ui.md tells it: read off the IR, and off what the steps say of their artifacts."""

import importlib
import json
import math
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import steps
from pipelines.compile import compile_training
from pipelines.images.programs import ROOT, interpreter
from pipelines.profile.load import load_profile
from tests.conftest import verse

Document = dict[str, Any]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Document:
    target = tmp_path_factory.mktemp("ir") / "training.yaml"
    compile_training(load_profile("rtx").profile, target)
    return next(yaml.safe_load_all(target.read_text()))  # type: ignore[no-any-return]


def components(pipeline: Document) -> Iterator[tuple[str, Document]]:
    """Steps, not the sub-graph of the condition."""
    for name, component in pipeline["components"].items():
        if "executorLabel" in component:
            yield name.removeprefix("comp-").replace("-", "_"), component


def definitions(component: Document, side: str) -> Iterator[tuple[str, Document]]:
    for kind in ("parameters", "artifacts"):
        yield from component.get(side, {}).get(kind, {}).items()


def test_a_task_is_called_like_its_step(pipeline: Document) -> None:
    tasks = {}
    for component in [pipeline["root"], *pipeline["components"].values()]:
        tasks |= component.get("dag", {}).get("tasks", {})
    names = {name: task["taskInfo"]["name"] for name, task in tasks.items()}
    assert names["condition-1"] == "the gates accepted the model"
    assert all(name == task for task, name in names.items() if task != "condition-1")  # one vocabulary in terminal, files and UI
    assert len(set(names.values())) == len(names) == len(steps.TRAINING_STEPS) + 1


def test_the_pipeline_every_component_and_every_input_is_described(pipeline: Document) -> None:
    assert pipeline["pipelineInfo"]["description"] and pipeline["pipelineInfo"]["displayName"] == "Train a poet"
    assert [name for name, one in definitions(pipeline["root"], "inputDefinitions") if not one.get("description")] == []
    for step, component in components(pipeline):
        assert getattr(steps, step).description.strip(), step
        assert [name for name, one in definitions(component, "inputDefinitions") if not one.get("description")] == [], step


def test_every_output_is_described(pipeline: Document) -> None:
    for step, component in components(pipeline):
        assert [name for name, one in definitions(component, "outputDefinitions") if not one.get("description")] == [], step


def test_metrics_and_pages_have_the_types_that_the_ui_shows(pipeline: Document) -> None:
    found: dict[str, set[str]] = {}
    for step, component in components(pipeline):
        for name, one in component.get("outputDefinitions", {}).get("artifacts", {}).items():
            found.setdefault(one["artifactType"]["schemaTitle"], set()).add(f"{step}.{name}")
    assert found["system.HTML"] == {"validate_data.page", "train_model.curves", "slice_metrics.page", "write_report.report"}
    assert found["system.Markdown"] == {"write_report.summary"}
    assert found["system.Model"] == {"train_model.model"}
    assert {name.split(".")[0] for name in found["system.Metrics"]} == {
        "ingest", "validate_data", "scrub_pii", "train_tokenizer", "train_model", "evaluate_model", "audit_model", "measure_text",
        "compare_champion", "slice_metrics", "gate_model",
    }  # fmt: skip


def test_lineage_is_digests_that_go_from_step_to_step(pipeline: Document) -> None:
    root = pipeline["root"]["dag"]["tasks"]
    inputs = root["register-model"]["inputs"]
    for name in inputs["artifacts"]:
        producer = inputs["artifacts"][name]["taskOutputArtifact"]["producerTask"]
        assert inputs["parameters"][f"{name}_digest"]["taskOutputParameter"] == {
            "producerTask": producer,
            "outputParameterKey": f"{name}_digest",
        }
    assert {"corpus_digest", "scrubbed_digest", "lineage"} <= set(inputs["parameters"])


def call(step: str, out: Path, **arguments: object) -> Document:
    """Run a step; returns its executor output."""
    line = [part for key, value in arguments.items() for part in (f"--{key.replace('_', '-')}", str(value))]
    line += ["--executor-output", str(out)]
    python = interpreter(f"robo-poet/{step}:x")
    if step == "validate_data":  # an environment of its own
        subprocess.run(
            [python, "-m", f"components.{step}", *line],
            check=True,
            capture_output=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    else:
        assert importlib.import_module(f"components.{step}.__main__").main(line) == 0
    return json.loads(out.read_text())  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("steps")


@pytest.fixture(scope="module")
def said(toy_corpus: Path, toy_tokenizer: Path, toy_training: Path, home: Path) -> dict[str, Document]:
    """Executor outputs of all steps that give metrics, on a toy corpus."""
    for number in range(6):
        (home / "poems").mkdir(exist_ok=True)
        (home / "poems" / f"{number}.txt").write_text(verse(number))

    def step(name: str, **arguments: object) -> Document:
        return call(name, home / f"{name}.output", metrics=home / f"{name}.metrics", **arguments)

    lenient = json.dumps(
        {f"on_{name}": "ignore" for name in ("size", "sentence_length", "type_token_ratio", "skew", "language", "anomalies")}
    )
    few = json.dumps({"continuations": 8, "prompt_tokens": 8, "continuation_tokens": 10})
    model = {"tokenizer": toy_tokenizer, "model": toy_training / "model"}
    written = {name: home / name for name in ("evaluation", "measured", "continuations")}
    evidence = {name: home / name for name in ("evaluation", "text_metrics", "model_audit", "slices", "comparison")}
    audit = json.dumps({"pairs": 20, "prompts": 60, "languages": ["en"]})
    gates = (
        '[{"metric": "perplexity", "max": 1000, "on_unknown": "pass"}, {"metric": "bits_per_byte", "against": "champion", "margin": 0.1}]'
    )
    return {
        "ingest": step("ingest", source=home / "poems", source_digest="", seed=1, corpus=home / "corpus", dropped=home / "dropped"),
        "validate_data": step("validate_data", corpus=home / "corpus", seed=1, settings=lenient, statistics=home / "statistics", drift=home / "drift", prompt_skew=home / "prompt_skew", page=home / "page"),
        "scrub_pii": step("scrub_pii", corpus=toy_corpus, seed=1, scrubbed=home / "scrubbed", audit=home / "audit", recall=home / "recall"),
        "train_tokenizer": step("train_tokenizer", scrubbed=toy_corpus, validated="x", settings='{"vocabulary": 320, "on_coverage": "ignore"}', tokenizer=home / "tokenizer"),
        "train_model": json.loads((toy_training / "output.json").read_text()),
        "evaluate_model": step("evaluate_model", scrubbed=toy_corpus, **model, seed=1, settings=few, **written),
        "audit_model": step("audit_model", **model, seed=1, settings=audit, model_audit=home / "model_audit"),
        "compare_champion": step(
            "compare_champion", scrubbed=toy_corpus, measured=home / "measured", continuations=home / "continuations", registry=home / "none",
            model_name="poems", champion="none", seed=1, champion_measured=home / "champion_measured",
            champion_continuations=home / "champion_continuations", comparison=home / "comparison",
        ),
        "measure_text": step(
            "measure_text", continuations=home / "continuations", champion_continuations=home / "champion_continuations", corpus=toy_corpus,
            scrubbed=toy_corpus, audit=home / "audit", tokenizer=toy_tokenizer, seed=1, text_metrics=home / "text_metrics",
        ),
        "slice_metrics": step(
            "slice_metrics", measured=home / "measured", champion_measured=home / "champion_measured", seed=1, slices=home / "slices", page=home / "slices.html"
        ),
        "gate_model": step("gate_model", **evidence, history=toy_training / "history", gates=gates, remedies="{}", decision=home / "decision"),
    }  # fmt: skip


def test_metrics_carry_their_numbers_as_metadata(said: dict[str, Document]) -> None:
    """The UI's scalar metrics are the metadata of a `system.Metrics` artifact; what is not a number it shows as text or not at all."""
    for step, output in said.items():
        (metrics,) = output["artifacts"]["metrics"]["artifacts"]
        assert metrics["metadata"] or step == "compare_champion", step  # without a champion there is no difference
        for name, value in metrics["metadata"].items():
            assert isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value), f"{step}: {name} = {value!r}"


def test_each_artifact_that_is_passed_on_shows_its_digest(said: dict[str, Document], pipeline: Document) -> None:
    produced = dict(components(pipeline))
    for step, output in said.items():
        digests = {
            name.removesuffix("_digest") for name in produced[step]["outputDefinitions"].get("parameters", {}) if name.endswith("_digest")
        }
        assert digests
        for name in digests:
            (artifact,) = output["artifacts"][name]["artifacts"]
            assert (
                artifact["metadata"]["digest"] == output["parameterValues"][f"{name}_digest"] and len(artifact["metadata"]["digest"]) == 64
            )


def test_pages_need_nothing_from_elsewhere(said: dict[str, Document], home: Path, toy_training: Path) -> None:
    """The UI shows a page inside a frame, without the network; Markdown as it is."""
    names = (
        "evaluation",
        "text_metrics",
        "model_audit",
        "slices",
        "comparison",
        "continuations",
        "champion_continuations",
        "decision",
        "statistics",
        "recall",
        "drift",
        "prompt_skew",
        "dropped",
    )
    given = {"history": toy_training / "history", **{name: home / name for name in names}}
    call(
        "write_report",
        home / "write_report.output",
        **given,
        lineage="{}",
        report=home / "report",
        card=home / "card",
        summary=home / "summary",
    )
    for page in (home / "page", toy_training / "curves", home / "report", home / "slices.html"):
        text = page.read_text("utf-8").lower()
        assert text.lstrip().startswith("<!doctype html") and "</html>" in text, page
        assert not any(part in text for part in ('src="http', "<script src", "<link", "@import", "url(http")), page
    summary = (home / "summary").read_text("utf-8")
    assert summary.startswith("# Accepted") and "| perplexity |" in summary
