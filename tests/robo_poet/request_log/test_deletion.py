from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.request_log.deletion import RemovedRecords, forget
from robo_poet.request_log.query import read
from robo_poet.request_log.record import Feedback, Request
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings


@pytest.mark.parametrize("what", [lambda folder: read(folder), lambda folder: forget(folder, "anna")])
def test_a_folder_that_is_not_a_log_is_refused(tmp_path: Path, what: Callable[[Path], object]) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        what(tmp_path / "requets")
    what(tmp_path)  # nothing was logged yet
    (tmp_path / "gateway.log").touch()
    with pytest.raises(BadInput, match="not a request log: it has no folder of a day"):
        what(tmp_path)


def test_forget_removes_only_the_records_of_one_user(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    logs = [Writer(tmp_path, RequestLogSettings()) for _ in range(2)]
    for n in range(6):
        logs[n % 2].add("request", asdict(request_of(n, user="anna" if n < 3 else "ben")))
    logs[0].add("feedback", asdict(Feedback("c0", request_of(0).time, "anna", rating=5)))
    logs[0].close()
    assert forget(tmp_path, "anna") == RemovedRecords(requests=2, feedback=1, pending=1)  # one writer still runs
    logs[1].close()
    assert forget(tmp_path, "anna") == RemovedRecords(requests=1, feedback=0, pending=0)
    assert forget(tmp_path, "anna") == RemovedRecords(requests=0, feedback=0, pending=0)
    rest = read(tmp_path)
    assert sorted(rest["completion_id"].to_pylist()) == ["c3", "c4", "c5"]
    assert b"anna" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
