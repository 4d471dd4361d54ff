import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.request_log.layout import Unit
from robo_poet.request_log.spool import Spool, lock_if_dead, read_spool


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes; the kernel answers as it does for a full disk, with another number."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_patches_are_applied_to_their_rows(tmp_path: Path) -> None:
    spool = Spool(Unit(tmp_path / "day", "w-1"))
    spool.append({"n": 1, "row": {"a": 1}})
    spool.append({"n": 2, "row": {"a": 2}})
    spool.append({"n": 1, "patch": {"text": "ü\n"}})
    spool.append({"n": 9, "patch": {"text": "of no row"}})
    assert read_spool(spool.unit.spool) == [{"a": 1, "text": "ü\n"}, {"a": 2}]
    assert spool.unit.spool.stat().st_mode & 0o777 == 0o600
    spool.sync()
    spool.close()


@given(data=st.data())
def test_a_truncated_spool_loses_only_the_incomplete_line(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    spool = Spool(Unit(tmp_path_factory.mktemp("day"), "w-1"))
    for n in range(5):
        spool.append({"n": n, "row": {"n": n, "text": "x" * n}})
    spool.close()
    whole = spool.unit.spool.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    spool.unit.spool.write_bytes(whole[:cut])
    assert [row["n"] for row in read_spool(spool.unit.spool)] == list(range(whole[:cut].count(b"\n")))


def test_zero_bytes_after_a_power_failure_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "_spool-w-1.jsonl"
    path.write_bytes(b'{"n":1,"row":{"a":1}}\n' + b"\0" * 50 + b"\n[3]\n7\n" + b'{"n":2,"row":{"a":2}}\n')
    assert read_spool(path) == [{"a": 1}, {"a": 2}]


def test_only_a_spool_without_a_lock_is_dead(tmp_path: Path) -> None:
    spool = Spool(Unit(tmp_path, "w-1"))
    with lock_if_dead(spool.unit.spool) as is_dead:
        assert not is_dead
    spool.close()
    with lock_if_dead(spool.unit.spool) as is_dead:
        assert is_dead
        with lock_if_dead(spool.unit.spool) as again:
            assert not again
    spool.unit.spool.unlink()
    with lock_if_dead(spool.unit.spool) as is_dead:
        assert not is_dead


def test_a_full_disk_leaves_complete_lines(tmp_path: Path) -> None:
    spool = Spool(Unit(tmp_path, "w-1"))
    spool.append({"n": 1, "row": {"a": 1}})
    with full_disk(60), pytest.raises(OSError, match="bytes written|too large"):
        spool.append({"n": 2, "row": {"text": "x" * 100}})
    spool.append({"n": 3, "row": {"a": 3}})
    spool.close()
    assert read_spool(spool.unit.spool) == [{"a": 1}, {"a": 3}]
    assert not [path for path in tmp_path.iterdir() if path != spool.unit.spool]
