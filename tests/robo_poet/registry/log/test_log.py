"""The chain under every interleaving of its writers, on a store in memory: nothing here is about files."""

import errno
import multiprocessing
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.registry.copying import FolderFiles
from robo_poet.registry.log.entry import Corrupt, Lost, Statement
from robo_poet.registry.log.log import FolderLog, Log


class Memory:
    def __init__(self) -> None:
        self.data: dict[int, bytes] = {}
        self.lies = 0  # this many creations succeed and say they did not, as a retried upload does

    def last(self) -> int:
        return max(self.data, default=0)

    def read(self, index: int) -> bytes | None:
        return self.data.get(index)

    def create(self, index: int, data: bytes) -> bool:
        if index in self.data:
            return False
        self.data[index] = data
        self.lies -= 1
        return self.lies < 0

    def where(self, index: int) -> str:
        return f"entry {index}"

    def forget(self) -> None:
        pass


def writer(log: Log, who: str, count: int) -> Generator[None, None, None]:
    """Append `count` statements; between any two steps others may do theirs."""
    for number in range(count):
        while True:
            seen = len(log.read())
            yield
            try:
                log.append(Statement("poems", "note", number + 1, who, "test"), seen + 1)
            except Lost:
                yield
                continue
            yield
            break


def full(count: int) -> tuple[Memory, Log]:
    store = Memory()
    log = Log(store)
    for index in range(1, count + 1):
        log.append(Statement("poems", "note", index, "ada", "test"), index)
    return store, log


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(0, 5))
def test_any_interleaving_leaves_one_chain_with_every_statement_once(schedule: list[int], lies: int) -> None:
    store = Memory()
    store.lies = lies
    log = Log(store)
    writers = {who: writer(log, str(who), 3) for who in range(4)}
    for who in [*schedule, *(list(range(4)) * 30)]:
        if who in writers and next(writers[who], "done") == "done":
            del writers[who]
    assert not writers
    entries = log.read()
    assert [entry.index for entry in entries] == list(range(1, 13))
    for who in range(4):
        assert [entry.statement.version for entry in entries if entry.statement.who == str(who)] == [1, 2, 3]


def test_a_taken_index_is_lost() -> None:
    _, log = full(2)
    with pytest.raises(Lost, match="2"):
        log.append(Statement("poems", "note", 1, "bob", "test"), 2)
    assert len(log.read()) == 2


def test_an_index_beyond_the_end_is_a_defect_of_the_caller() -> None:
    _, log = full(2)
    with pytest.raises(ValueError, match="no log entry 3"):
        log.append(Statement("poems", "note", 1, "bob", "test"), 4)


@given(st.integers(1, 4), st.data())
def test_any_changed_byte_is_found_in_the_first_bad_entry(index: int, data: st.DataObject) -> None:
    store, log = full(4)
    raw = bytearray(store.data[index])
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    store.data[index] = bytes(raw)
    with pytest.raises(Corrupt, match=f"^entry {index}:"):
        log.read()


def test_a_hole_is_found() -> None:
    store, log = full(4)
    del store.data[2]
    with pytest.raises(Corrupt, match=r"^entry 2: .* missing"):
        log.read()


def test_two_swapped_entries_are_found() -> None:
    store, log = full(4)
    store.data[2], store.data[3] = store.data[3], store.data[2]
    with pytest.raises(Corrupt, match=r"^entry 2: .* does not match the hash"):
        log.read()


def test_an_entry_of_another_log_is_found() -> None:
    store, log = full(4)
    store.data[3] = full(4)[0].data[3]
    with pytest.raises(Corrupt, match=r"^entry 3: .* does not match the hash"):
        log.read()


def test_an_empty_log_reads_as_such() -> None:
    assert Log(Memory()).read() == []


def append_many(folder: Path, who: int, count: int, start: Any) -> None:
    log = Log(FolderLog(folder))
    start.wait()
    for number in range(1, count + 1):
        while True:
            try:
                log.append(Statement("poems", "note", number, str(who), "race"), len(log.read()) + 1)
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


NO_HARD_LINKS = ("EXDEV", "EMLINK", "EOPNOTSUPP", "EPERM", "ENOTSUP", "ENOSYS")


def without_links(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(getattr(errno, name), "no")

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("name", NO_HARD_LINKS)
def test_a_file_system_without_hard_links_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(name, monkeypatch)
    with pytest.raises(BadInput, match=f"^{tmp_path}: the file system does not support hard links; move the registry to one that does$"):
        FolderLog(tmp_path).create(1, b"{}")
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", NO_HARD_LINKS)
def test_a_copy_to_a_file_system_without_hard_links_is_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_links(name, monkeypatch)
    with pytest.raises(BadInput, match=f"^{tmp_path}: the file poems/x cannot be written .*; choose another target$"):
        FolderFiles(tmp_path).create("poems/x", b"{}")
    assert [path.name for path in tmp_path.rglob("*")] == ["poems"]


def test_other_system_errors_are_raised_and_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OSError, match="full"):
        FolderLog(tmp_path).create(1, b"{}")
    assert [path.name for path in tmp_path.iterdir()] == []
