"""Lines of a step's log. Events and summaries of whole runs are in execution/test_executor.py and test_display.py.

Covers: result.
"""

import signal
from pathlib import Path

import pytest

from pipelines.run.record import failure_reason, parse_note, parse_progress, parse_warning, read_warnings
from pipelines.run.result import EXIT


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        ("[ 42 %] half", (42, "half")),
        ("[100 %]", (100, "")),
        ("[7%] text", (7, "text")),
        ("[999 %] too much", (100, "too much")),
        ("42 % done", None),
        ("", None),
    ],
)
def test_a_progress_line_has_a_percentage_and_a_text(line: str, progress: tuple[int, str] | None) -> None:
    assert parse_progress(line) == progress


def test_a_warning_is_reported_once(tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    log.write_text("warning: old\n")
    start = log.stat().st_size
    log.write_text("warning: old\nwarning: few words\n[ 1 %] x\nwarning: few words\nwarning: other\n")
    assert read_warnings(log, start) == ("few words", "other")
    assert parse_warning("a warning: inside") == ""


def test_a_note_is_no_warning(tmp_path: Path) -> None:
    assert parse_note("note: learning rate lowered ") == "learning rate lowered" and parse_note("warning: w") == ""
    log = tmp_path / "step.log"
    log.write_text("note: learning rate lowered\nTraceback\nnote: x\n")
    assert read_warnings(log, 0) == () and failure_reason(log, 0, 1) == "exit status 1: Traceback"


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("error: corpus: not UTF-8\nmore\n", 2, "corpus: not UTF-8"),
        ("[ 1 %] x\nTraceback\nValueError: y\n", 1, "exit status 1"),
        ("", -signal.SIGTERM, "killed by SIGTERM"),
        ("", -signal.SIGKILL, "killed by SIGKILL"),
    ],
)
def test_the_reason_of_a_failure_is_its_error_line_or_its_end(tmp_path: Path, text: str, status: int, reason: str) -> None:
    log = tmp_path / "step.log"
    log.write_text(text)
    assert failure_reason(log, 0, status).startswith(reason)


def test_a_run_ends_with_the_exit_status_of_its_state() -> None:
    assert EXIT == {"succeeded": 0, "failed": 1, "cancelled": 130}
