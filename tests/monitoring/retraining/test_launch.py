"""Runs as processes: found again by the lock that they hold and by the folder that they write."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitoring.retraining.launch import Launcher, RunCommand, Standing
from monitoring.retraining.live_text import UsedLiveText
from robo_poet.judges.retraining.state import Key, Request

KEY = Key("poems", 3, "0123456789abcdef", "the world changed")
REQUEST = Request(1, KEY, "running", 0.0, "2026-03-10T12:00:00Z", "f" * 64, 0.0, "trigger", "test")


class Place:
    """Folders of a trigger, and a process that waits for a file before it ends."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.go = folder, folder / "go"
        self.launcher = self.restarted()

    def restarted(self) -> Launcher:
        return Launcher(self.folder / "starts", self.folder / "runs")

    def train(self, run: str = "r1", end: str = "exit 0", *, makes: bool = True) -> None:
        made = f"mkdir -p {self.folder}/runs/{run}; " if makes else ""
        script = f"{made}echo begun >> {self.folder}/begun; while ! test -e {self.go}; do sleep 0.01; done; {end}"
        self.launcher.launch(run, ["sh", "-c", script])

    def ended(self, launcher: Launcher, run: str = "r1") -> Standing:
        self.go.touch()
        limit = time.monotonic() + 20
        while (standing := launcher.standing(run, time.time())).state == "running":
            assert time.monotonic() < limit
            time.sleep(0.01)
        self.launcher.standing(run, 0.0)  # the parent reaps the process
        return standing

    def summary(self, **fields: object) -> str:
        (self.folder / "summary").write_text(json.dumps(fields))
        return f"mv {self.folder}/summary {self.folder}/runs/r1/summary.json"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    yield Place(tmp_path)


def test_a_run_that_succeeds_is_finished_with_its_version(here: Place) -> None:
    here.train(end=here.summary(status="succeeded", seconds=1800, version=4, stage="canary", verdict="accepted"))
    assert here.launcher.standing("r1", 0.0).state == "running"
    assert here.restarted().standing("r1", 0.0).state == "running", "a restarted trigger finds it by its lock"
    restarted = here.restarted()
    assert here.ended(restarted) == Standing("finished", "version 4 is canary", 0.5, 4) == here.launcher.standing("r1", 0.0)


@pytest.mark.parametrize(
    ("summary", "state", "why"),
    [
        (
            {"status": "succeeded", "seconds": 1, "version": 4, "verdict": "rejected", "reason": "bleu < 1"},
            "finished",
            "version 4 is rejected: bleu < 1",
        ),
        ({"status": "cancelled", "seconds": 1}, "finished", "the run was cancelled"),
        ({"status": "failed", "seconds": 1, "error": "train-model: out of memory"}, "failed", "train-model: out of memory"),
        ({}, "failed", "the run failed"),
    ],
)
def test_every_end_is_told(here: Place, summary: dict[str, object], state: str, why: str) -> None:
    here.train(end=here.summary(**summary))
    standing = here.ended(here.launcher)
    assert (standing.state, standing.why) == (state, why)


def test_a_run_that_is_killed_or_stops_at_bad_input_has_failed(here: Place) -> None:
    here.train(end="echo 'error: corpus: it is gone' >&2; echo later; exit 2", makes=False)
    assert here.ended(here.launcher).why == "the run ended with status 2: corpus: it is gone"
    here.train("r2", end="kill -9 $$")
    assert here.ended(here.launcher, "r2").why == "the run ended with status -9"
    restarted = here.restarted().standing("r2", time.time() - 3600)
    assert (
        restarted.state == "failed" and restarted.why == "the run ended without a summary" and restarted.hours == pytest.approx(1, abs=0.1)
    )


def test_a_run_that_never_began_is_started_once(here: Place) -> None:
    assert here.restarted().standing("r1", 0.0).state == "not_begun"
    here.train()
    other = here.restarted()
    other.launch("r1", ["sh", "-c", f"echo begun >> {here.folder}/begun"])
    assert here.ended(here.launcher).state == "failed"  # it wrote no summary
    assert (here.folder / "begun").read_text() == "begun\n", "the second start found the lock of the first"


def test_a_run_that_refused_its_input_has_ended_also_for_a_restarted_trigger(here: Place) -> None:
    """It made no folder, so only the mark in its lock file shows that it has begun."""
    here.train(end="echo 'error: corpus: it is gone' >&2; exit 2", makes=False)
    here.ended(here.launcher)
    found = here.restarted().standing("r1", 0.0)
    assert (found.state, found.why) == ("failed", "the run ended without a summary: corpus: it is gone")


def test_a_lock_file_without_the_mark_is_that_of_a_run_that_never_began(here: Place) -> None:
    """The trigger was killed after it wrote the folder of runs, and before the process existed."""
    (here.folder / "starts").mkdir()
    (here.folder / "starts" / "r1.lock").write_bytes(bytes(here.folder / "runs"))
    assert here.restarted().standing("r1", 0.0).state == "not_begun"


def test_a_run_is_found_in_the_folder_that_it_was_started_with(here: Place) -> None:
    here.train(end=here.summary(status="succeeded", seconds=1, version=4, stage="canary"))
    here.ended(here.launcher)
    other_profile = Launcher(here.folder / "starts", here.folder / "other_runs")
    assert other_profile.standing("r1", 0.0).made == 4, "otherwise it would be started again"


def test_a_program_that_does_not_exist_is_an_error(here: Place) -> None:
    with pytest.raises(OSError):
        here.launcher.launch("r1", ["/nonexistent/python"])
    assert here.launcher.standing("r1", 0.0).state == "failed", "it is not tried again with the same id"


def test_the_command_is_a_training_run_with_the_trigger() -> None:
    command = RunCommand("ci", ("train.epochs=2",), "/poems", same_model=True, warm_start=True)
    words = command.words(REQUEST, "20260310T120000.000-ab12")
    assert words[:4] == [sys.executable, "-m", "cli", "run"] and words[-3:] == ["--corpus", "/poems", "--same-model"]
    assert words[words.index("--run-id") + 1] == "20260310T120000.000-ab12" and words[words.index("--model") + 1] == "poems"
    assert "train.epochs=2" in words and "train.warm_start=3" in words
    assert json.loads(words[words.index("--trigger") + 1]) == {
        "cause": "the world changed", "window": "f" * 64,
        "alert": {"model": "poems", "version": 3, "baseline": "0123456789abcdef", "starts_at": "2026-03-10T12:00:00Z"},
    }  # fmt: skip
    assert "--corpus" not in RunCommand("ci", (), "", same_model=False, warm_start=False).words(REQUEST, "r")


@pytest.mark.parametrize("file", [Path("/live.jsonl"), None])
def test_the_command_names_the_live_text_and_the_trigger_says_whether_it_is_used(file: Path | None) -> None:
    command = RunCommand("ci", (), "", same_model=False, warm_start=False, live_text=UsedLiveText(file, "a note"))
    words = command.words(REQUEST, "r")
    assert json.loads(words[words.index("--trigger") + 1])["live_text"] == "a note"
    assert words[-2:] == ["--live-text", "/live.jsonl"] if file else "--live-text" not in words
