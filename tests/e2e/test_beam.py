"""A run whose data steps use a Beam runner, from ingest to the registered version."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import FirstRun, Shell


@pytest.mark.soak
def test_a_run_with_a_runner_has_the_corpus_of_a_run_without(first_run: FirstRun, tmp_path: Path) -> None:
    """The steps after the data steps are cached, because what they read is the same to the byte."""
    shutil.copytree(first_run.copy, tmp_path / "person", symlinks=True)
    shell = Shell(tmp_path / "person")
    shell.type("run", "--profile", "ci", "--set", "beam.runner=embedded")
    states, summary = shell.states(), shell.summary()
    assert summary["status"] == "succeeded" and summary["version"]
    assert [states[step] for step in ("ingest", "validate-data", "scrub-pii", "register-model")] == ["ran"] * 4
    assert [states[step] for step in ("train-tokenizer", "train-model", "evaluate-model")] == ["cached"] * 3
    outputs = {"ingest": ("corpus", "dropped"), "validate-data": ("statistics",), "scrub-pii": ("scrubbed", "audit", "recall")}
    for step, names in outputs.items():
        before, after = (run["outputs"][step]["parameters"] for run in (first_run.summary, summary))
        assert [after[f"{name}_digest"] for name in names] == [before[f"{name}_digest"] for name in names]
