"""The outcome of a training run: metrics, gates, samples and version, for `summary.json` and the scorecard; and the training logs."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from pipelines.run.record import Event
from pipelines.run.result import RunResult
from robo_poet.atomic import write_text
from robo_poet.judges.metrics import bands
from robo_poet.registry.names import BUNDLED_SOURCE

STEP, OUTPUT, NAME = "train-model", "logs", "training"


def link_training_logs(event: Event) -> None:
    """Link `logs/training` to the working folder when the training starts, so that TensorBoard shows the curve during the training."""
    if event.task == STEP and event.state == "running":
        link = Path(event.detail["log"]).parent / NAME
        link.unlink(missing_ok=True)  # the link of an earlier attempt
        link.symlink_to(event.detail["folder"])


def keep_training_logs(result: RunResult) -> Path | None:
    """Copy the event files of a finished training into the folder of the run. Return that folder, or None if there are no logs.

    A cached training is copied too. The copy remains when `gc` removes the entry from the store. After a failed training, the link to
    its working folder remains.
    """
    folder = result.folder / "logs" / NAME
    task = result.tasks.get(STEP)
    artifact = task.artifacts.get(OUTPUT) if task else None
    if artifact and artifact.path.exists():
        folder.unlink(missing_ok=True)
        shutil.copytree(artifact.path, folder)
    return folder if folder.exists() else None


@dataclass(frozen=True)
class Outcome:
    """The outcome of a training run. A field is empty if the run ended before the step that sets it.

    Attributes:
        metrics: name → value, from the decision of the gates or, if there is none, from the evaluation.
        intervals: name → [lower bound, upper bound], for some metrics.
        shortages: name → why a metric has no value or no interval, as JSON.
        interval_unit: what the intervals of the likelihood resample: work, document or block.
        bands: name → quality band in words, for some metrics.
        gates: one `GateResult` in JSON form per gate.
        verdict: `accepted`, `rejected`, or empty.
        reason: why the model was rejected.
        samples: each `{"prompt", "text"}`.
        scrubbing: recall of scrubbing on planted personal data; see `robo_poet.report.scrubbing_section`.
        model: name of the model in the registry.
        source: address of the corpus.
        version: number in the registry.
        stage: stage of the version in the registry.
        report: the report page in the run's folder.
        logs: folder with event files for TensorBoard.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, list[float]] = field(default_factory=dict)
    shortages: dict[str, dict[str, Any]] = field(default_factory=dict)
    interval_unit: str = ""
    bands: dict[str, str] = field(default_factory=dict)
    gates: list[dict[str, Any]] = field(default_factory=list)
    verdict: str = ""
    reason: str = ""
    samples: list[dict[str, str]] = field(default_factory=list)
    scrubbing: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    source: str = ""
    version: int | None = None
    stage: str = ""
    report: Path | None = None
    logs: Path | None = None


def collect_outcome(result: RunResult, parameters: Mapping[str, Any]) -> Outcome:
    """Read the outcome from the outputs of the steps, copy report and training logs into the run's folder, and complete `summary.json`.

    Args:
        parameters: the run's parameters.
    """
    evaluation = _artifact(result, "evaluate-model", "evaluation")
    decision = _artifact(result, "gate-model", "decision")
    card = _artifact(result, "write-report", "card")
    registered = result.tasks["register-model"].parameters if "register-model" in result.tasks else {}
    deployed = result.tasks["deploy-canary"].parameters if "deploy-canary" in result.tasks else {}
    metrics = decision.get("metrics", evaluation.get("metrics", {}))
    outcome = Outcome(
        metrics=metrics,
        intervals=decision.get("intervals", evaluation.get("intervals", {})),
        shortages=decision.get("shortages", evaluation.get("shortages", {})),
        interval_unit=evaluation.get("unit", ""),
        bands=bands(metrics),
        gates=decision.get("gates", []),
        verdict=decision.get("verdict", ""),
        reason=decision.get("reason", ""),
        samples=card.get("samples", {}).get("drawn", []),
        scrubbing=_artifact(result, "scrub-pii", "recall"),
        model=parameters["model_name"],
        source=parameters["source"] or BUNDLED_SOURCE,
        version=registered.get("version"),
        stage=deployed.get("stage") or registered.get("stage", ""),
        report=_copy_report(result, registered.get("version")),
        logs=keep_training_logs(result),
    )
    fields = (
        "metrics",
        "intervals",
        "shortages",
        "gates",
        "verdict",
        "reason",
        "samples",
        "scrubbing",
        "model",
        "source",
        "version",
        "stage",
    )
    lineage = parameters.get("lineage", {})
    chosen = {"profile": lineage.get("profile", ""), "changed": lineage.get("changed", {}), "settings": lineage.get("settings", {})}
    measured = {"semantic_method": card.get("measured_on", {}).get("semantic_method")}
    summary = result.summary() | {name: getattr(outcome, name) for name in fields} | chosen | measured
    write_text(result.folder / "summary.json", json.dumps(summary, indent=1))
    return outcome


def _path(result: RunResult, task: str, name: str) -> Path | None:
    artifact = result.tasks[task].artifacts.get(name) if task in result.tasks else None
    return artifact.path if artifact and artifact.path.exists() else None


def _artifact(result: RunResult, task: str, name: str) -> dict[str, Any]:
    path = _path(result, task, name)
    return json.loads(path.read_text("utf-8")) if path else {}


def _copy_report(result: RunResult, version: int | None) -> Path | None:
    """Copy the report page and add version, date and run below its title. If validation stopped the run, copy its page."""
    path = _path(result, "write-report", "report") or result.folder / "outputs" / "validate-data" / "page"  # says why validation failed
    if not path.exists():
        return None
    target = result.folder / "report.html"
    run = result.folder.name
    date = f", {run[:4]}-{run[4:6]}-{run[6:8]}" if run[:8].isdecimal() else ""
    label = f"Version {version}{date}, of run" if version is not None else f"No version{date}. Of run"
    head, end_tag, rest = path.read_text("utf-8").partition("</h1>")
    write_text(target, f"{head}{end_tag}<p>{label} {escape(run)}.</p>{rest}" if end_tag else head)
    return target
