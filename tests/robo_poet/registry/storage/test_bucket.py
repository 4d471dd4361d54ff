"""Against a real emulator of Google Cloud Storage, `fake-gcs-server`, which honours `if_generation_match` of small uploads."""

import re
import threading

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Lost, Statement
from robo_poet.registry.log.log import Log
from robo_poet.registry.registry import Registry
from robo_poet.registry.storage.bucket import BucketFiles
from robo_poet.registry.storage.bucket_log import BucketLog
from tests.robo_poet.registry.storage.conftest import Proxy


def test_a_file_is_created_once(bucket: str) -> None:
    files = BucketFiles(f"{bucket}/once/")
    assert files.read("a/b") is None and files.names("a") == []
    assert files.create("a/b", b"first") and not files.create("a/b", b"second")
    assert files.read("a/b") == b"first" and files.names("a") == ["b"] and files.listed("a", "c") == {}
    assert files.create("c", b"") and files.folders("") == ["a"]
    listed = files.listed("a")["b"]
    assert listed.size == 5 and files.read("a/b", listed.generation) == b"first" and files.read("a/b", 1) is None
    files.remove("a/b")
    files.remove("a/b")  # it may be missing
    assert files.read("a/b") is None


def test_what_a_bucket_refuses_is_one_line(bucket: str) -> None:
    with pytest.raises(BadInput, match="gs://: the bucket name is missing"):
        BucketFiles("gs://")
    with pytest.raises(BadInput, match=r"gs://nowhere/x: there is no such bucket"):
        BucketFiles("gs://nowhere/x").create("a", b"")


def refused(address: str) -> str:
    with pytest.raises(BadInput) as error:
        Registry(address, "poems").champion()
    return str(error.value)


def test_a_bucket_without_permission_is_one_line(bucket: str, proxy: Proxy) -> None:
    proxy.status = 403
    assert refused(f"{bucket}/r") == f"{bucket}/r: you have no permission for this bucket; ask for the role Storage Object User"


def test_a_bucket_that_cannot_be_reached_is_one_line(bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("robo_poet.registry.storage.bucket.SECONDS", 1)
    proxy.status = 503
    assert re.fullmatch(
        rf"{bucket}/r: the bucket cannot be reached: Timeout of 1.0s exceeded.*; check the network and the credentials",
        refused(f"{bucket}/r"),
    )
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    line = refused(f"{bucket}/r")
    assert line.startswith(f"{bucket}/r: the bucket cannot be reached: ") and "\n" not in line
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/does/not/exist.json")
    assert "exist.json was not found.; check the network and the credentials" in refused(f"{bucket}/r")


def test_a_missing_bucket_is_one_line(bucket: str) -> None:
    assert refused("gs://nowhere/x") == "gs://nowhere/x: there is no such bucket; create it, or check the name"


def test_a_retry_after_a_lost_response_finds_its_own_entry(bucket: str, proxy: Proxy) -> None:
    log = Log(BucketLog(BucketFiles(f"{bucket}/lost"), "poems"))
    proxy.lose = 1
    assert log.append(Statement("poems", "add_source", 0, "ada", "x", {"source": "s"}), 1).index == 1
    assert proxy.kinds == ["write", "write", "read"]  # the library repeats the upload, gets 412, and the content decides
    proxy.lose = 1
    with pytest.raises(Lost):
        log.append(Statement("poems", "add_source", 0, "bob", "x", {"source": "s"}), 1)
    assert [entry.statement.who for entry in log.read()] == ["ada"]


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
