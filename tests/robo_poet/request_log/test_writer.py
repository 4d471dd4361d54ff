import os
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest

from robo_poet.request_log import writer as module
from robo_poet.request_log.layout import KINDS, days
from robo_poet.request_log.query import read
from robo_poet.request_log.record import Request
from robo_poet.request_log.spool import Spool, make_part, recover
from robo_poet.request_log.writer import Writer
from robo_poet.settings.serve import RequestLogSettings

NOON = 1_772_366_400.0


def row(request: Request, **texts: Any) -> dict[str, Any]:
    return {**asdict(request), "prompt": None, "completions": None, **texts}


def ids(folder: Path) -> list[str]:
    return sorted(read(folder)["completion_id"].to_pylist())


def test_parts_are_a_partitioned_parquet_dataset(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = Writer(tmp_path / "log", RequestLogSettings(), lambda: NOON)
    for day in range(3):
        log.add("request", row(request_of(day, time=NOON + day * 86_400)))
    log.close()
    assert [str(day) for day, _ in days(tmp_path / "log", KINDS["request"])] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    anyone = pyarrow.dataset.dataset(tmp_path / "log", partitioning="hive").to_table()
    assert sorted(anyone["completion_id"].to_pylist()) == ids(tmp_path / "log") == ["c0", "c1", "c2"]
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o700


def test_late_fields_are_patched_in(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = Writer(tmp_path, RequestLogSettings())
    first, second, third = (log.add("request", row(request_of(n)), texts_follow=n < 2) for n in range(3))
    assert first
    assert second
    assert third
    assert log.set_texts(first, {"prompt": "a", "completions": ["b"]})
    log.omit_texts(second)
    assert log.patch("c2", {"prompt_perplexity": 20.0, "prompt_scored_tokens": 4})
    assert not log.patch("unheard of", {})
    before = read(tmp_path).sort_by("completion_id")
    log.close()
    after = read(tmp_path).sort_by("completion_id")
    assert before.equals(after)
    assert after["prompt"].to_pylist() == ["a", None, None]
    assert after["completions"].to_pylist() == [["b"], None, None]
    assert after["prompt_perplexity"].to_pylist() == [None, None, 20.0]
    assert not log.patch("c2", {"prompt_perplexity": 30.0})  # too late


def test_a_spool_waits_for_its_texts(tmp_path: Path, request_of: Callable[..., Request], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATCH_SECONDS", 0.0)
    log = Writer(tmp_path, RequestLogSettings(part_records=1), lambda: NOON)
    place = log.add("request", row(request_of(0)), texts_follow=True)
    assert place
    log.tick()
    log.tick()
    assert list(tmp_path.rglob("part-*")) == []
    log.set_texts(place, {"prompt": "a", "completions": []})
    log.tick()
    assert len(list(tmp_path.rglob("part-*"))) == 1
    assert read(tmp_path)["prompt"].to_pylist() == ["a"]
    log.close()


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("request", {"version": "three"}), ("request", {"version": 1 << 40}), ("request", {"time": "now"}), ("request", {"time": float("nan")}),
        ("request", {"time": 1e18}), ("request", {"parameters": {"a": "b"}}), ("request", {"parameters": 3}), ("request", {"tokens": ["x"]}),
        ("nonsense", {}),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_counted_and_skipped(
    tmp_path: Path, request_of: Callable[..., Request], kind: str, wrong: dict[str, Any]
) -> None:
    log = Writer(tmp_path, RequestLogSettings())
    assert log.add(kind, row(request_of(0), **wrong)) is None
    assert log.add("request", row(request_of(1)))
    log.close()
    assert ids(tmp_path) == ["c1"]
    assert log.counts["invalid"] == 1


def test_a_crash_between_part_and_spool_duplicates_nothing(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    log = Writer(tmp_path, RequestLogSettings())
    place = log.add("request", row(request_of(0)))
    assert place
    unit, spool = place.spool.unit, place.spool.unit.spool.read_bytes()
    log.close()
    unit.spool.write_bytes(spool)  # as if it had not been unlinked
    assert ids(tmp_path) == ["c0"]
    assert recover(tmp_path) == 1
    assert not unit.spool.exists()
    assert ids(tmp_path) == ["c0"]


def test_two_writers_share_a_folder(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    writers = [Writer(tmp_path, RequestLogSettings(part_records=7), lambda: NOON) for _ in range(2)]

    def write(which: int) -> None:
        for n in range(50):
            writers[which].add("request", row(request_of(which * 1000 + n)))
            writers[which].tick()
        writers[which].recover()

    threads = [threading.Thread(target=write, args=(which,)) for which in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    expected = sorted(f"c{which * 1000 + n}" for which in range(2) for n in range(50))
    assert ids(tmp_path) == expected
    writers[0].close()
    assert ids(tmp_path) == expected
    writers[1].close()
    assert ids(tmp_path) == expected
    assert not list(tmp_path.rglob("_spool*"))


def test_the_writer_counts_a_full_disk_and_continues(
    tmp_path: Path, request_of: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATCH_SECONDS", 0.0)
    log = Writer(tmp_path, RequestLogSettings(part_records=1), lambda: NOON)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "append", full)
        assert log.add("request", row(request_of(0))) is None
    assert log.add("request", row(request_of(1)))
    with monkeypatch.context() as patch:
        patch.setattr(module, "make_part", full)
        log.tick()
    assert ids(tmp_path) == ["c1"]  # from its spool
    log.tick()
    assert len(list(tmp_path.rglob("part-*"))) == 1
    assert ids(tmp_path) == ["c1"]
    assert log.counts["failed"] == 1
    log.close()


def test_old_days_are_removed(tmp_path: Path, request_of: Callable[..., Request]) -> None:
    clock = [NOON]
    log = Writer(tmp_path, RequestLogSettings(keep_days=30), lambda: clock[0])
    log.add("request", row(request_of(0)))
    log.add("feedback", {"completion_id": "c0", "time": NOON, "user": "u", "rating": 3, "thumb": None})
    log.close()
    for days_later, kept in ((0, True), (30, True), (31, False)):
        clock[0] = NOON + days_later * 86_400
        log.tick()
        assert [day for day, _ in days(tmp_path, KINDS["request"])] == ([date(2026, 3, 1)] if kept else [])
        assert bool(list(days(tmp_path, KINDS["feedback"]))) == kept


def test_an_empty_spool_makes_no_part(tmp_path: Path) -> None:
    log = Writer(tmp_path, RequestLogSettings())
    log.add("request", {"completion_id": "c", "time": NOON})
    unit = next(iter(log._open.values()))[1].unit
    unit.spool.write_bytes(b'{"n": 1, "ro')
    make_part(unit, KINDS["request"])
    assert not unit.part.exists()
    assert not unit.spool.exists()


def test_folders_and_files_are_private_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log = Writer(tmp_path / "serve" / "requests", RequestLogSettings())
        assert log.add("feedback", {"completion_id": "c", "time": NOON, "user": "u", "rating": 3, "thumb": None})
        log.close()
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_dir()}
    [part] = tmp_path.rglob("*.parquet")
    assert modes == {0o700} and part.stat().st_mode & 0o777 == 0o600
