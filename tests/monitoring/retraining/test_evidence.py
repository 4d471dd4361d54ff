"""The runs that requests for a retraining refer to."""

import json
from pathlib import Path

from monitoring.retraining.evidence import VERDICT, requests_of, runs_of_requests
from tests.monitoring.retraining.test_log import ASKED, KEY, full

DRIFT = {"action": "drift", "model": "poems", "version": 1, "baseline": KEY.baseline + 48 * "0", "cause": KEY.cause, "end": 2.0}


def runs_with(folder: Path, **verdicts: object) -> Path:
    for name, verdict in verdicts.items():
        (folder / name).mkdir(parents=True)
        (folder / name / VERDICT).write_text(json.dumps(verdict))
    return folder


def test_each_request_keeps_the_run_with_its_window(tmp_path: Path) -> None:
    full(tmp_path / "retraining" / "poems")
    requests = requests_of(tmp_path / "retraining")
    others = {
        "early": DRIFT | {"snapshot": "a" * 64, "end": 1.0}, "late": DRIFT | {"snapshot": "b" * 64, "end": 9.0},
        "quiet": DRIFT | {"action": "no_drift"}, "else": DRIFT | {"cause": "unknown"}, "broken": [],
    }  # fmt: skip
    runs = runs_with(tmp_path / "runs", its=DRIFT | {"snapshot": ASKED.window}, **others)
    assert runs_of_requests(requests, runs) == {runs / "its"}
    (runs / "its" / VERDICT).unlink()
    assert runs_of_requests(requests, runs) == {runs / "late"}, "the trigger had no history of the watcher"


def test_nothing_is_kept_without_requests_or_runs(tmp_path: Path) -> None:
    assert requests_of(tmp_path / "missing") == [] and runs_of_requests([], tmp_path / "missing") == set()
    full(tmp_path / "retraining" / "poems")
    assert runs_of_requests(requests_of(tmp_path / "retraining"), tmp_path / "missing") == set()
