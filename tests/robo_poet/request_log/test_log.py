"""The gateway's side of the request log, with a real writer process. Covers: log, process, record."""

import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.request_log.log import OUTCOMES, RequestLog, sampled
from robo_poet.request_log.query import read
from robo_poet.request_log.record import Feedback, Request, Score
from robo_poet.settings.serve import RequestLogSettings

RATES = st.floats(0, 1)


@given(st.text(), RATES, RATES)
def test_an_id_kept_at_one_rate_is_kept_at_every_higher_rate(completion: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert sampled(completion, low) <= sampled(completion, high)
    assert sampled(completion, low) == sampled(completion, low)


@given(st.text())
def test_rate_1_keeps_everything_and_rate_0_nothing(completion: str) -> None:
    assert sampled(completion, 1.0)
    assert not sampled(completion, 0.0)


def test_the_kept_share_is_the_rate() -> None:
    kept = sum(sampled(f"completion {k}", 0.25) for k in range(4000))
    assert 860 <= kept <= 1140  # 1,000 ± 5 standard deviations


QUICK = RequestLogSettings(names="patterns")
PRIVATE = "Write to anna@example.org before the night falls.\n"


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds; the test fails by its next assertion if it never does."""
    end = time.monotonic() + 20
    while not true() and time.monotonic() < end:
        time.sleep(0.02)


def now(request_of: Callable[..., Request], number: int, **fields: object) -> Request:
    return request_of(number, time=time.time(), **fields)


def test_a_request_with_its_score_and_feedback(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = RequestLog(tmp_path / "log", RequestLogSettings(), score=lambda record: Score(3.0 * record.version, 3))
    assert log.put(now(request_of, 0, prompt="Dear Anna Kowalski,\n", completions=[PRIVATE]))
    assert log.feedback(Feedback("c0", time.time(), "u", rating=4, thumb="up"))
    until(lambda: read(tmp_path / "log")["prompt"].to_pylist() == ["Dear <PERSON>,\n"])
    log.close(20)
    [row] = read(tmp_path / "log").to_pylist()
    assert row["prompt"] == "Dear <PERSON>,\n"
    assert row["completions"] == ["Write to <EMAIL_ADDRESS> before the night falls.\n"]
    assert row["prompt_perplexity"] == pytest.approx(20.0855, abs=1e-3)
    assert (row["prompt_scored_tokens"], row["rating"], row["thumbs_up"]) == (3, 4.0, 1)
    assert dict(row["parameters"]) == {"temperature": 0.8}
    assert log.counts == dict.fromkeys(OUTCOMES, 0) | {"written": 1, "feedback": 1}
    assert log.trouble == ""
    assert len(list((tmp_path / "log").rglob("part-*.parquet"))) == 2


def test_no_personal_data_reaches_the_disk(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = RequestLog(tmp_path, QUICK)
    for n in range(20):
        log.put(now(request_of, n, prompt=PRIVATE, completions=[PRIVATE]))
    until(lambda: read(tmp_path).num_rows == 20)
    spools = b"".join(path.read_bytes() for path in tmp_path.rglob("*.jsonl"))
    log.close()
    assert b"c19" in spools
    assert b"anna" not in spools
    assert not [text for text in read(tmp_path)["prompt"].to_pylist() if "anna" in text]


def test_a_request_and_its_feedback_are_sampled_together(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = RequestLog(tmp_path, QUICK.model_copy(update={"sample_rate": 0.5}))
    kept = [f"c{n}" for n in range(40) if sampled(f"c{n}", 0.5)]
    for n in range(40):
        assert log.put(now(request_of, n)) == log.feedback(Feedback(f"c{n}", time.time(), "u", rating=2)) == (f"c{n}" in kept)
    log.close()
    rows = read(tmp_path)
    assert sorted(rows["completion_id"].to_pylist()) == sorted(kept)
    assert set(rows["rating"].to_pylist()) == {2.0}
    assert log.counts["unsampled"] == 2 * (40 - len(kept))


def test_a_disabled_log_writes_nothing(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = RequestLog(tmp_path / "log", RequestLogSettings(enabled=False))
    assert not log.put(now(request_of, 0))
    log.close()
    assert not (tmp_path / "log").exists()


def test_a_stopped_writer_costs_records_but_does_not_block(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = RequestLog(tmp_path, QUICK.model_copy(update={"queue": 50}))
    log.put(now(request_of, 0))
    until(lambda: log.counts["written"] == 1)
    pid = log._process.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        kept = [log.put(now(request_of, n, prompt="x" * 20_000)) for n in range(1, 300)]
    finally:
        os.kill(pid, signal.SIGCONT)
    assert not all(kept)
    assert log.counts["dropped"] >= kept.count(False)
    assert log.waiting <= 50
    log.close(30)
    assert read(tmp_path).num_rows == log.counts["written"] == 300 - log.counts["dropped"]
    assert log.put(now(request_of, 999)) is False


def test_a_killed_writer_is_restarted(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = RequestLog(tmp_path, QUICK)
    log.put(now(request_of, 0))
    until(lambda: log.counts["written"] == 1)
    first = log._process.pid
    assert first
    os.kill(first, signal.SIGKILL)
    until(lambda: log._process.pid not in (None, first))
    log.put(now(request_of, 1))
    until(lambda: log.counts["written"] == 2)
    log.close()
    assert sorted(read(tmp_path)["completion_id"].to_pylist()) == ["c0", "c1"]
    assert not list(tmp_path.rglob("_spool*"))  # of the killed one too


def test_a_full_disk_is_counted_and_the_log_recovers(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = RequestLog(tmp_path, QUICK)
    log.put(now(request_of, 0))
    until(lambda: log.counts["written"] == 1)
    pid = log._process.pid
    assert pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    log.put(now(request_of, 1))
    until(lambda: log.counts["failed"] > 0)
    assert log.counts["failed"] > 0
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    log.put(now(request_of, 2))
    log.close()
    assert {"c0", "c2"} <= set(read(tmp_path)["completion_id"].to_pylist()) <= {"c0", "c1", "c2"}
    assert log._process.pid is None


def test_an_unwritable_folder_counts_the_record_as_failed(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    (tmp_path / "log").write_text("a file")
    log = RequestLog(tmp_path / "log", QUICK)
    assert log.put(now(request_of, 0))
    until(lambda: log.counts["failed"] == 1)
    assert log.counts["failed"] == 1
    log.close()


def test_an_invalid_record_loses_only_itself(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = RequestLog(tmp_path, QUICK)
    for wrong in ({"version": "three"}, {"prompt": 7}, {"completions": [b"bytes"]}, {"parameters": {"a": object()}}):
        log.put(now(request_of, 0, **wrong))
    log.put(now(request_of, 1))
    until(lambda: log.counts["written"] == 1)
    log.close()
    assert read(tmp_path)["completion_id"].to_pylist() == ["c1"]
    assert log.counts["invalid"] == 4


def test_a_problem_is_logged_once(tmp_path: Path, request_of: Callable[..., Request], caplog: pytest.LogCaptureFixture) -> None:
    log = RequestLog(tmp_path, RequestLogSettings(name_engine="spacy", spacy_model="no_such_model"))
    for n in range(3):
        log.put(now(request_of, n, prompt=PRIVATE))
    until(lambda: log.trouble != "" and log.counts["text_omitted"] == 3)
    log.close()
    assert "'no_such_model' is not installed" in log.trouble
    assert [record.getMessage() for record in caplog.records] == [f"request log: {log.trouble}"]
    assert read(tmp_path)["prompt"].to_pylist() == [None] * 3
