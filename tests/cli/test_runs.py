import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from monitoring.retraining.log import RetrainingLog
from robo_poet.outcomes.files import file_name
from tests.monitoring.retraining.test_log import ASKED, KEY


def test_gc_without_results_has_nothing_to_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "nothing to remove" in CliRunner().invoke(app, ["gc"]).stdout


def test_gc_removes_old_runs_of_the_drift_watch_except_those_of_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    drift = {"action": "drift", "model": "poems", "version": 1, "baseline": KEY.baseline, "cause": KEY.cause, "snapshot": ASKED.window}
    for name, age, verdict in (("asked", 90, drift), ("old", 60, {"action": "no_drift"}), ("new", 1, {"action": "no_drift"})):
        run = tmp_path / ".serve" / "drift-runs" / name
        run.mkdir(parents=True)
        (run / "verdict.json").write_text(json.dumps(verdict))
        (run / "events.jsonl").write_text("")
        os.utime(run / "events.jsonl", (time.time() - age * 86400,) * 2)
    RetrainingLog(tmp_path / ".serve" / "retraining" / "poems" / "log", "poems").record(lambda _: ASKED)
    removed = CliRunner().invoke(app, ["gc", "--keep-runs", "1", "--yes"])
    assert "drift-runs/old" in removed.stdout and "freed" in removed.stdout
    assert sorted(path.name for path in (tmp_path / ".serve" / "drift-runs").iterdir()) == ["asked", "new"]


def test_gc_removes_the_logs_after_their_time_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name, age in (("old", 31), ("new", 1)):
        run = tmp_path / "runs" / name
        (run / "logs").mkdir(parents=True)
        (run / "logs" / "train-model.log").write_text("[ 50 %] epoch 1")
        (run / "events.jsonl").write_text("")
        os.utime(run / "events.jsonl", (time.time() - age * 86400,) * 2)
        day = tmp_path / ".serve" / "requests" / f"date={datetime.now(UTC).date() - timedelta(days=age)}"
        day.mkdir(parents=True)
        (day / "part-a-1.parquet").write_text("x")
        outcomes = tmp_path / ".serve" / "outcomes" / "poems" / file_name(time.time() - age * 86400, "a" * 16)
        outcomes.parent.mkdir(parents=True, exist_ok=True)
        outcomes.write_text("x")
    day = f"date={datetime.now(UTC).date() - timedelta(days=31)}"
    planned = CliRunner().invoke(app, ["gc"]).stdout
    assert "old/logs" in planned and "logs of a run 31 days ago" in planned and f"requests/{day}" in planned and "would free" in planned
    assert (tmp_path / "runs" / "old" / "logs").exists()
    removed = CliRunner().invoke(app, ["gc", "--yes"]).stdout
    assert "outcomes/poems" in planned and "outcomes older than 14 days" in removed and len(list(outcomes.parent.iterdir())) == 1
    assert "old/logs" in removed and f"requests/{day}" in removed and "new" not in removed
    assert [path.parent.name for path in tmp_path.glob("runs/*/logs")] == ["new"] and (tmp_path / "runs" / "old" / "events.jsonl").exists()
    assert len(list((tmp_path / ".serve" / "requests").iterdir())) == 1
    assert "nothing to remove" in CliRunner().invoke(app, ["gc", "--yes"]).stdout
