import os
import stat
import threading
import time
from pathlib import Path

import pytest

from robo_poet.outcomes import log as log_module
from robo_poet.outcomes.files import file_name, is_written, outcome_files
from robo_poet.outcomes.log import OutcomeLog
from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.outcomes.record import Rating
from tests.robo_poet.outcomes.samples import CANARY, CHAMPION, handle, outcome, running_log, shares


def wait_until(condition: object, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_what_is_handed_over_is_read_while_the_process_runs_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    with running_log(tmp_path / "o" / "m") as log:
        reader, entries = OutcomeReader(tmp_path / "o" / "m"), []
        handle(log, CANARY, outcome("u1"), outcome("u2"))
        log.note(CANARY, Rating(1.0, "u1", "c", 1.0))
        assert wait_until(lambda: entries.extend(reader.read()) or len(entries) == 3)
        [file] = outcome_files(tmp_path / "o" / "m")
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600 and stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
        assert is_written(file.path) and log.counts["written"] == 2
        assert [fields["kind"] for _, fields in entries] == ["outcome", "outcome", "rating"]
    assert not is_written(file.path) and shares(reader) == {"canary": 0.0}


def test_a_full_queue_loses_outcomes_and_every_reader_knows_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = threading.Event()
    write = os.write
    monkeypatch.setattr(log_module.os, "write", lambda handle, data: (blocked.wait(10), write(handle, data))[1])  # a disk that hangs
    with running_log(tmp_path, queue=10) as log:
        handle(log, CANARY, outcome())
        assert wait_until(lambda: not log.waiting)
        began = time.perf_counter()
        handle(log, CANARY, *[outcome(str(number)) for number in range(19)])
        handle(log, CHAMPION, outcome())
        assert time.perf_counter() - began < 0.5 and log.counts["dropped"] == 10
        blocked.set()
        assert wait_until(lambda: log.counts["written"] == 11)
    assert shares(OutcomeReader(tmp_path)) == {"canary": 9 / 20, "champion": 1.0}


def test_a_full_disk_loses_nothing_if_it_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, full = os.write, [True]

    def failing(handle: int, data: bytes) -> int:
        if full and len(data) > 20:
            return write(handle, data[:20]) if full.pop() else 0
        if full is not None and not freed.is_set():
            raise OSError(28, "No space left on device")
        return write(handle, data)

    freed = threading.Event()
    monkeypatch.setattr(log_module.os, "write", failing)
    with running_log(tmp_path) as log:
        handle(log, CANARY, *[outcome(str(number)) for number in range(5)])
        assert wait_until(lambda: "No space" in log.trouble)
        handle(log, CANARY, outcome("later"))
        freed.set()
        assert wait_until(lambda: log.counts["written"] == 6) and wait_until(lambda: not log.trouble)
    reader = OutcomeReader(tmp_path)
    assert len(list(reader.read())) == 6 and reader.damaged == 0 and shares(reader) == {"canary": 0.0}


def test_a_folder_that_cannot_be_made_is_a_trouble_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running_log(tmp_path / "file" / "m", queue=1) as log:
        handle(log, CANARY, outcome(), outcome())
        assert wait_until(lambda: bool(log.trouble)) and log.counts["dropped"] == 1
        (tmp_path / "file").unlink()
        assert wait_until(lambda: log.counts["written"] == 1)


def test_a_new_hour_and_a_removed_file_begin_a_new_file(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    log = OutcomeLog(tmp_path, clock=lambda: now[0])
    handle(log, CANARY, outcome())
    assert wait_until(lambda: log.counts["written"] == 1)
    now[0] += 3600
    handle(log, CANARY, outcome())
    assert wait_until(lambda: log.counts["written"] == 2)
    first, second = outcome_files(tmp_path)
    assert first.writer == second.writer and first.hour < second.hour
    assert shares(OutcomeReader(tmp_path)) == {"canary": 0.0}
    second.path.unlink()
    handle(log, CANARY, outcome())
    assert wait_until(lambda: log.counts["written"] == 3)
    log.close()
    assert shares(OutcomeReader(tmp_path)) == {"canary": 1 / 3}


def test_requests_that_are_in_progress_at_the_end_count_as_lost(tmp_path: Path) -> None:
    with running_log(tmp_path) as log:
        handle(log, CANARY, outcome())
        log.begin(CANARY)
    assert not log.end(CANARY, outcome())
    assert shares(OutcomeReader(tmp_path)) == {"canary": 0.5}


def test_old_files_are_removed(tmp_path: Path) -> None:
    old, new = tmp_path / file_name(time.time() - 3 * 86_400, "0" * 16), tmp_path / file_name(time.time() - 3600, "0" * 16)
    old.touch()
    new.touch()
    with running_log(tmp_path, keep_days=2):
        assert wait_until(lambda: not old.exists())
    assert new.exists()


def test_a_value_that_cannot_be_written_counts_as_lost(tmp_path: Path) -> None:
    with running_log(tmp_path) as log:
        handle(log, CANARY, outcome(seconds=float("inf")), outcome())
    assert shares(OutcomeReader(tmp_path)) == {"canary": 0.5}
