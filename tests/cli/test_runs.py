import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from robo_poet.errors import BadInput

SUMMARY = {"status": "succeeded", "seconds": 12.4, "metrics": {"perplexity": 41.25}, "version": 3, "stage": "champion"}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two runs: one succeeded, the later one has no summary."""
    for name in ("20260301-1", "20260302-1"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "events.jsonl").write_text("")
    (tmp_path / "runs" / "20260301-1" / "summary.json").write_text(json.dumps(SUMMARY))
    return tmp_path / "runs"


def call(*words: str) -> Result:
    return CliRunner().invoke(app, ["runs", *words], env={"COLUMNS": "120"})


def test_list_shows_the_latest_run_first(runs: Path) -> None:
    _, latest, first = call("list", "--runs", str(runs)).stdout.splitlines()
    assert latest.split() == ["20260302-1", "unfinished"]
    assert first.split() == ["20260301-1", "succeeded", "12", "41.2", "3", "champion"]


def test_list_names_the_number_of_runs_that_it_omits(runs: Path) -> None:
    assert "1 earlier runs are not listed; --last 2 lists all" in call("list", "--last", "1", "--runs", str(runs)).stdout


def test_list_without_runs_names_the_next_command(tmp_path: Path) -> None:
    assert "no runs yet; to start one: .venv/bin/robo-poet run" in call("list", "--runs", str(tmp_path)).stdout


def test_show_prints_the_summary(runs: Path) -> None:
    assert json.loads(call("show", "20260301-1", "--runs", str(runs)).stdout) == SUMMARY


@pytest.mark.parametrize(("run", "message"), [("20260302-1", "the run has no summary"), ("20260303-1", "no such run")])
def test_a_run_without_a_summary_is_refused(runs: Path, run: str, message: str) -> None:
    error = call("show", run, "--runs", str(runs)).exception
    assert isinstance(error, BadInput) and message in str(error)


def test_gc_without_results_has_nothing_to_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "nothing to remove" in CliRunner().invoke(app, ["gc"]).stdout
