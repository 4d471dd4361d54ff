import json
from pathlib import Path

from pipelines.outcome import collect_outcome, keep_training_logs, link_training_logs
from pipelines.run.record import Event
from pipelines.run.result import RunResult, TaskResult
from pipelines.run.store.entry import Artifact


def result(folder: Path, task: TaskResult) -> RunResult:
    return RunResult("r", folder, "training", "succeeded", {"train-model": task}, "", 1.0)


def begin(folder: Path, working_folder: Path) -> Path:
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    working_folder.mkdir(exist_ok=True)
    detail = {"log": str(folder / "logs" / "train-model.log"), "folder": str(working_folder)}
    for task in ("ingest", "train-model"):
        link_training_logs(Event(task, "running", detail=detail))
    return folder / "logs" / "training"


def test_logs_are_a_link_during_training_and_a_copy_after_it(tmp_path: Path) -> None:
    training = begin(tmp_path / "run", tmp_path / "working_folder")
    begin(tmp_path / "run", tmp_path / "working_folder")  # a second attempt
    (tmp_path / "working_folder" / "events").write_text("half")
    assert (training / "events").read_text() == "half"

    made = tmp_path / "store" / "logs"
    made.mkdir(parents=True)
    (made / "events").write_text("whole")
    task = TaskResult("ran", artifacts={"logs": Artifact(made, "digest", {})})
    assert keep_training_logs(result(tmp_path / "run", task)) == training
    (made / "events").unlink()  # the store forgot it
    assert not training.is_symlink() and (training / "events").read_text() == "whole"


def test_a_cached_training_brings_its_logs_too(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "events").write_text("x")
    task = TaskResult("cached", artifacts={"logs": Artifact(tmp_path / "made", "digest", {})})
    assert keep_training_logs(result(tmp_path / "run", task)) == tmp_path / "run" / "logs" / "training"


def test_a_failed_training_keeps_the_link_and_one_that_never_started_has_none(tmp_path: Path) -> None:
    assert keep_training_logs(result(tmp_path / "other", TaskResult("skipped"))) is None
    training = begin(tmp_path / "run", tmp_path / "working_folder")
    assert keep_training_logs(result(tmp_path / "run", TaskResult("failed"))) == training and training.is_symlink()


def test_the_summary_has_what_lists_and_comparisons_need(tmp_path: Path) -> None:
    lineage = {"profile": "ci", "changed": {"train.epochs": 9}, "settings": {"seed": 1}}
    failed = RunResult("r", tmp_path, "training", "failed", {"ingest": TaskResult("failed", error="no text")}, "ingest: no text", 1.0)
    collect_outcome(failed, {"model_name": "poems", "source": "", "lineage": lineage})
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert {key: summary[key] for key in lineage} == lineage
    assert (summary["model"], summary["source"], summary["samples"], summary["shortages"]) == ("poems", "bundled", [], {})
