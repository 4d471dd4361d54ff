import errno
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.entry import Statement
from robo_poet.registry.errors import Lost
from robo_poet.registry.folder_log import FolderLog
from robo_poet.registry.log import Log


def append_many(folder: Path, who: int, count: int, start: Any) -> None:
    log = Log(FolderLog(folder))
    start.wait()
    for number in range(1, count + 1):
        while True:
            try:
                log.append(Statement("note", number, str(who), "race"), len(log.read()) + 1)
                break
            except Lost:
                continue


@pytest.mark.parametrize("count", [15, pytest.param(150, marks=pytest.mark.soak)])
def test_processes_race_for_every_index_and_leave_one_chain(count: int, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Barrier(4)
    processes = [context.Process(target=append_many, args=(tmp_path / "log", who, count, start)) for who in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(50 if count < 100 else 600)
    assert [process.exitcode for process in processes] == [0] * 4
    entries = Log(FolderLog(tmp_path / "log")).read()
    assert [entry.index for entry in entries] == list(range(1, 4 * count + 1))
    for who in range(4):
        assert [entry.statement.version for entry in entries if entry.statement.who == str(who)] == list(range(1, count + 1))
    assert sorted(path.name for path in (tmp_path / "log").iterdir()) == [f"{index:08d}.json" for index in range(1, 4 * count + 1)]


def test_creates_once(tmp_path: Path) -> None:
    store = FolderLog(tmp_path / "deep" / "log")
    assert store.last() == 0
    assert store.read(1) is None
    assert store.create(1, b"first")
    assert not store.create(1, b"second")
    assert (store.read(1), store.last()) == (b"first", 1)
    assert Path(store.where(1)) == tmp_path / "deep" / "log" / "00000001.json"


def test_looks_at_entries_only(tmp_path: Path) -> None:
    for name in (".entry.x1", "notes.txt", "3.json", "0000000²3.json", "00000002.json~"):
        (tmp_path / name).write_text("{}")
    assert FolderLog(tmp_path).last() == 0


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "registry").write_text("hello")
    with pytest.raises(BadInput, match="cannot be read"):
        FolderLog(tmp_path / "registry" / "log").last()
    (tmp_path / "00000001.json").mkdir()
    with pytest.raises(BadInput, match="cannot be read"):
        FolderLog(tmp_path).read(1)


def test_a_file_system_without_hard_links_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(BadInput, match="no hard links"):
        FolderLog(tmp_path).create(1, b"{}")
    assert [path.name for path in tmp_path.iterdir()] == []


def test_another_trouble_is_passed_on_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OSError, match="full"):
        FolderLog(tmp_path).create(1, b"{}")
    assert [path.name for path in tmp_path.iterdir()] == []
