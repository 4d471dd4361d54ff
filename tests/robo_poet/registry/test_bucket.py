"""Against a real emulator of Google Cloud Storage, `fake-gcs-server`, which honours `if_generation_match` of small uploads."""

import threading
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.bucket import BucketFiles, BucketLog
from robo_poet.registry.entry import Lost, Statement
from robo_poet.registry.log import Log


@pytest.fixture(scope="module")
def bucket(gcs: Any) -> str:
    gcs.create_bucket("poets")
    return "gs://poets"


def test_a_file_is_created_once(bucket: str) -> None:
    files = BucketFiles(f"{bucket}/once/")
    assert files.read("a/b") is None and files.names("a") == []
    assert files.create("a/b", b"first") and not files.create("a/b", b"second")
    assert files.read("a/b") == b"first" and files.names("a") == ["b"] and files.names("a", "c") == []


def test_what_a_bucket_refuses_is_one_line(bucket: str) -> None:
    with pytest.raises(BadInput, match="gs://: the bucket name is missing"):
        BucketFiles("gs://")
    with pytest.raises(BadInput, match=r"gs://nowhere/x: there is no such bucket"):
        BucketFiles("gs://nowhere/x").create("a", b"")


def test_a_retry_after_a_lost_response_finds_its_own_entry(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(BucketLog(BucketFiles(f"{bucket}/lost"), "poems"))
    create = BucketFiles.create

    def answer_is_lost(self: BucketFiles, name: str, data: bytes) -> bool:
        create(self, name, data)
        return create(self, name, data)  # as the library does: the second attempt gets 412

    monkeypatch.setattr(BucketFiles, "create", answer_is_lost)
    assert log.append(Statement("poems", "add_source", 0, "ada", "x", {"source": "s"}), 1).index == 1
    with pytest.raises(Lost):
        log.append(Statement("poems", "add_source", 0, "bob", "x", {"source": "s"}), 1)


@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_racing_writers_leave_one_chain_and_one_winner_of_each_entry(bucket: str, count: int) -> None:
    address, wins, guard = f"{bucket}/race{count}", [0] * (count + 1), threading.Lock()

    def write(who: str) -> None:
        log = Log(BucketLog(BucketFiles(address), "poems"))
        while (index := len(log.read()) + 1) <= count:
            try:
                log.append(Statement("poems", "add_source", 0, who, "race", {"source": str(index)}), index)
            except Lost:
                continue
            with guard:
                wins[index] += 1

    threads = [threading.Thread(target=write, args=(f"writer {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wins[1:] == [1] * count
    entries = Log(BucketLog(BucketFiles(address), "poems")).read()
    assert [entry.index for entry in entries] == list(range(1, count + 1))


def test_reading_again_costs_the_new_entries_only(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(BucketLog(BucketFiles(f"{bucket}/again"), "poems"))
    for index in range(1, 6):
        log.append(Statement("poems", "add_source", 0, "ada", "x", {"source": str(index)}), index)
    assert len(log.read()) == 5
    read, names = [], []
    content, listing = BucketFiles.read, BucketFiles.names
    monkeypatch.setattr(BucketFiles, "read", lambda self, name: read.append(name) or content(self, name))
    monkeypatch.setattr(BucketFiles, "names", lambda self, *given: names.append(given) or listing(self, *given))
    log.append(Statement("poems", "add_source", 0, "ada", "x", {"source": "6"}), 6)
    read.clear()
    assert len(log.read()) == 6
    assert read == ["poems/log/00000005.json", "poems/log/00000006.json"]
    assert names == [("poems/log", "00000005.json")]
