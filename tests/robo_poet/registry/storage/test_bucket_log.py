"""How many requests the log of a bucket costs, and what its cache is worth."""

from pathlib import Path
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Corrupt, Statement
from robo_poet.registry.log.log import Log
from robo_poet.registry.registry import Registry
from robo_poet.registry.storage.bucket import BucketFiles
from robo_poet.registry.storage.bucket_log import BucketLog
from tests.robo_poet.registry.storage.conftest import Proxy

ENTRIES = 12


def log_of(address: str, cache: Path | None = None) -> Log:
    return Log(BucketLog(BucketFiles(address), "poems", cache))


def append(address: str, *indices: int, who: str = "ada") -> None:
    log = log_of(address)
    for index in indices:
        log.append(Statement("poems", "add_source", 0, who, "x", {"source": str(index)}), index)


@pytest.fixture
def address(bucket: str, request: pytest.FixtureRequest) -> str:
    address = f"{bucket}/{request.node.name.replace('[', '-').replace(']', '')}"
    append(address, *range(1, ENTRIES + 1))
    return address


@pytest.mark.parametrize("cached", [False, True])
def test_reading_again_costs_one_listing_and_the_new_entries(address: str, proxy: Proxy, tmp_path: Path, cached: bool) -> None:
    log = log_of(address, tmp_path if cached else None)
    assert len(log.read()) == ENTRIES
    assert proxy.kinds == ["list"] + ["read"] * ENTRIES
    for _ in range(3):
        proxy.requests.clear()
        assert len(log.read()) == ENTRIES and proxy.kinds == ["list"]
    append(address, ENTRIES + 1, ENTRIES + 2)
    proxy.requests.clear()
    assert len(log.read()) == ENTRIES + 2 and proxy.kinds == ["list", "read", "read"]


def test_another_process_reads_the_cache(address: str, proxy: Proxy, tmp_path: Path) -> None:
    entries = log_of(address, tmp_path).read()
    proxy.requests.clear()
    assert log_of(address, tmp_path).read() == entries and proxy.kinds == ["list"]


def test_a_damaged_or_missing_entry_of_the_cache_is_read_again(address: str, proxy: Proxy, tmp_path: Path) -> None:
    entries = log_of(address, tmp_path).read()
    by_name = sorted(tmp_path.iterdir())
    by_name[9].write_bytes(by_name[9].read_bytes().replace(b"ada", b"eve"))
    proxy.requests.clear()
    assert log_of(address, tmp_path).read() == entries and proxy.kinds == ["list"] + ["read"] * 3  # entry 10 and those after it
    by_name[4].unlink()
    assert log_of(address, tmp_path).read() == entries
    by_name[0].write_bytes(b"")
    assert log_of(address, tmp_path).read() == entries
    for path in tmp_path.iterdir():
        path.unlink()
    tmp_path.joinpath(by_name[3].name).mkdir()  # in the way of an entry
    assert log_of(address, tmp_path).read() == entries


def test_a_forged_cache_is_no_log(address: str, tmp_path: Path, bucket: str) -> None:
    """Valid entries of another log, under the names of this one's: the chain decides."""
    log_of(address, tmp_path / "mine").read()
    append(f"{bucket}/other", *range(1, ENTRIES + 1), who="eve")
    log_of(f"{bucket}/other", tmp_path / "other").read()
    mine, other = (sorted((tmp_path / name).iterdir())[5] for name in ("mine", "other"))
    generation = mine.name.split("-")[1]
    mine.unlink()
    (tmp_path / "mine" / f"00000006-{generation}-{other.stem.split('-')[2]}.json").write_bytes(other.read_bytes())
    with pytest.raises(Corrupt, match="00000006.json: the log entry does not match the hash"):
        log_of(address, tmp_path / "mine").read()


def test_another_log_at_the_address_replaces_the_cache(address: str, gcs: Any, tmp_path: Path) -> None:
    log = log_of(address, tmp_path)
    log.read()
    bucket, prefix = gcs.bucket("poets"), address.removeprefix("gs://poets/")
    for blob in list(bucket.list_blobs(prefix=prefix)):
        blob.delete()
    append(address, *range(1, ENTRIES + 1), who="bob")
    for reader in (log, log_of(address, tmp_path)):
        assert {entry.statement.who for entry in reader.read()} == {"bob"}
    for blob in list(bucket.list_blobs(prefix=prefix))[3:]:
        blob.delete()
    for reader in (log, log_of(address, tmp_path)):
        assert len(reader.read()) == 3
    bucket.blob(f"{prefix}/poems/log/00000002.json").upload_from_string(b"{}")
    log.read()  # a reader that has seen the newest entry needs no older one
    with pytest.raises(Corrupt, match="00000002.json: the log entry was changed"):
        log.read(again=True)


def test_a_missing_entry_is_named(address: str, gcs: Any, tmp_path: Path) -> None:
    gcs.bucket("poets").blob(f"{address.removeprefix('gs://poets/')}/poems/log/00000005.json").delete()
    with pytest.raises(Corrupt, match=f"{address}/poems/log/00000005.json: the log entry is missing, but later ones exist"):
        log_of(address, tmp_path).read()


def test_a_cache_that_cannot_be_written_costs_requests_only(address: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(log_of(address, tmp_path / "file").read()) == ENTRIES


def test_a_registry_that_is_read_again_costs_one_listing(bucket: str, proxy: Proxy, tmp_path: Path) -> None:
    registry = Registry(f"{bucket}/polled", "poems")
    registry.add_source("/poems", who="ada", why="first", same_model=False)
    (tmp_path / "w").write_text("1")
    registry.register({"w": tmp_path / "w"}, metrics={}, lineage={}, decision={}, stage="candidate", who="ada", why="x")
    registry.promote(1, who="ada", why="x")
    reader = Registry(f"{bucket}/polled", "poems")
    assert reader.state().champion == 1
    for _ in range(3):
        proxy.requests.clear()
        assert reader.state().champion == 1 and reader.version(1).folder
        assert proxy.kinds == ["list"] * 2
    proxy.status = 403
    with pytest.raises(BadInput, match="no permission"):
        reader.state()
    proxy.status = 0
    assert reader.state().champion == 1
