"""The log keeps the beginning, the end and the lines that matter; the memory of the executor does not grow with the output."""

import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from pipelines.run import step_log
from pipelines.run.record import MOST_WARNINGS, failure_reason, read_warnings
from pipelines.run.step_log import BoundedLog, StepOutput
from tests.pipelines.run.conftest import shell


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"KEPT": 2000, "IMPORTANT_KEPT": 300, "LONGEST_LINE": 100, "TAIL": 200}.items():
        monkeypatch.setattr(step_log, name, value)


def written(path: Path, *chunks: bytes) -> bytes:
    log = BoundedLog(path)
    for chunk in chunks:
        log.write(chunk)
    log.close()
    return path.read_bytes()


def test_a_short_output_is_unchanged(tmp_path: Path) -> None:
    chunks = (b"[ 10 %] a\nwar", b"ning: b\r\n", b"\xff\x00binary\n", b"no end")
    assert written(tmp_path / "log", *chunks) == b"".join(chunks) + b"\n"
    assert written(tmp_path / "log", b"second attempt\n").endswith(b"no end\nsecond attempt\n")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_a_line_without_end_is_cut(tmp_path: Path, end: bytes) -> None:
    text = written(tmp_path / "log", *[b"x" * 70] * 50, end, b"next" + end)
    assert text.startswith(b"x" * 100) and b"x" * 101 not in text.partition(b"[")[0]
    assert b"next" in text


@pytest.mark.usefixtures("small")
def test_a_long_output_keeps_its_beginning_its_end_and_what_matters(tmp_path: Path) -> None:
    lines = [b"line %05d\n" % number for number in range(1000)]
    lines[600:600] = [b"warning: late\n", b"error: the reason\n", b"[ 70 %] going on\n", b"[ 71 %] too soon\n"]
    text = written(tmp_path / "log", *lines)
    assert text.startswith(b"line 00000\n") and text.endswith(b"line 00999\n")
    assert b"note: the output is longer than 0 MB" in text
    assert b"warning: late\nerror: the reason\n[ 70 %] going on\n[" in text and b"too soon" not in text
    assert b"MB of output left out]\n" in text
    assert len(text) < 2000 + 300 + 200 + 200
    assert failure_reason(tmp_path / "log", 0, 1) == "the reason"


@pytest.mark.usefixtures("small")
def test_a_flood_of_errors_is_bounded_too(tmp_path: Path) -> None:
    assert len(written(tmp_path / "log", *[b"error: %05d\n" % number for number in range(5000)])) < 2000 + 300 + 200 + 200


def test_a_full_disk_does_not_stop_the_step() -> None:
    log = BoundedLog(Path("/dev/full"))
    log.write(b"a line\n")
    log.close()


def test_many_warnings_are_counted(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"warning: {number} {'x' * 9000}\n" for number in range(250)) * 2)
    warnings = read_warnings(tmp_path / "log", 0)
    assert len(warnings) == MOST_WARNINGS + 1 and max(map(len, warnings)) <= 2000
    assert warnings[-1].endswith("more warnings are in the log")


def test_a_process_that_the_step_left_behind_does_not_keep_the_log_open(tmp_path: Path) -> None:
    with StepOutput(tmp_path / "log") as output:
        child = subprocess.Popen(["sh", "-c", "echo here; sleep 30"], stdout=output.handle, start_new_session=True)
        output.started()
        try:
            child.wait(0.3)
        except subprocess.TimeoutExpired:
            output.end()
    assert (tmp_path / "log").read_text() == "here\n"
    child.kill()
    child.wait()


FLOODS = {
    "lines": "yes 'a line of output that says nothing' | head -c {n}",
    "one line": "head -c {n} /dev/zero | tr '\\0' x",
    "carriage returns": "yes '[ 42 %] text' | tr '\\n' '\\r' | head -c {n}",
    "binary": "head -c {n} /dev/urandom",
    "warnings": "yes 'warning: again' | cat -n | sed 's/.*warning/warning/' | head -c {n}",
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("size", [30_000_000, pytest.param(1_000_000_000, marks=pytest.mark.soak)])
def test_a_step_that_prints_a_gigabyte_costs_no_memory(house: Any, flood: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_log, "KEPT", 1 << 20)  # the display reads what is kept, slowly, because its memory is traced

    def pipeline() -> None:
        shell(script=f"{FLOODS[flood].format(n=size)}; echo; echo 'error: the reason'; exit 1")

    ir = house.compile(pipeline)
    tracemalloc.start()
    try:
        result = house.run(ir)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.error.startswith("shell: the reason")
    assert peak < 30_000_000
    assert sum(path.stat().st_size for path in result.folder.rglob("*") if path.is_file()) < 20_000_000
    assert sys.getsizeof(result.error) < 5000
