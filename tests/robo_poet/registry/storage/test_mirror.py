"""A registry in a bucket of the emulator: what the cache is trusted for, and what kills, damage and forgeries do."""

import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Conflict, Corrupt
from robo_poet.registry.names import model_names, only_model
from robo_poet.registry.registry import Registry
from robo_poet.registry.storage import mirror as mirror_module
from robo_poet.registry.storage.bucket import BucketFiles
from robo_poet.registry.storage.cache import cache_folder
from robo_poet.registry.storage.mirror import Mirror
from robo_poet.registry.versions.version import Manifest, Version
from tests.robo_poet.registry.storage.conftest import Proxy

SAID = {"who": "ada", "why": "test"}
KILLED = 9


def register(registry: Registry, folder: Path, seed: int = 1) -> Version:
    model = folder / f"model{seed}"
    (model / "inner").mkdir(parents=True, exist_ok=True)
    (model / "weights").write_text(f"weights {seed}")
    (model / "inner" / "tokens").write_text("a b c")
    return registry.register({"model": model}, metrics={}, lineage={"seed": seed}, decision={}, stage="candidate", **SAID)


@pytest.fixture
def address(bucket: str, request: pytest.FixtureRequest) -> str:
    return f"{bucket}/{re.sub('[^a-z0-9]+', '-', request.node.name.lower()).strip('-')}"


@pytest.fixture
def used(address: str, tmp_path: Path) -> Registry:
    """Version 1 is champion, version 2 canary, version 3 archived."""
    registry = Registry(address, "poems")
    for seed in (1, 2, 3):
        register(registry, tmp_path, seed)
    registry.promote(1, **SAID)
    registry.start_canary(2, **SAID)
    registry.archive(3, **SAID)
    return registry


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Go on as another machine: with an empty cache."""
    count = iter(range(100))
    return lambda: monkeypatch.setenv("ROBO_POET_CACHE", str(tmp_path / f"cache{next(count)}"))


def blob_of(gcs: Any, version: Version, name: str) -> Any:
    return gcs.bucket("poets").blob(f"{version.address.removeprefix('gs://poets/')}/{name}")


def test_a_registry_in_a_bucket_needs_no_folder(used: Registry, address: str, elsewhere: Callable[[], None]) -> None:
    elsewhere()
    reader = Registry(Path(address), "poems")  # a command line may make a path of it, which loses a slash
    assert [str(version.stage) for version in reader.verify()] == ["champion", "canary", "archived"]
    champion = reader.released()
    assert champion.read("model/weights") == b"weights 1" and champion.address.startswith(f"{address}/poems/versions/")
    assert reader.pinned_champion("") == reader.pinned_champion(champion.digest) == champion
    assert reader.address == f"{address}/poems" and reader.unregistered_folders() == []
    assert model_names(address) == ["poems"] and only_model(address, "") == "poems"
    assert register(used, champion.folder.parents[5]).number == 1  # the same content is the same version
    with pytest.raises(Conflict, match=f"{address}/poems: another change came before promote of version 2"):
        state = reader.state()
        used.hold_canary(2, **SAID)
        reader.promote(2, **SAID, seen=state)


def test_a_missing_registry_is_empty(address: str) -> None:
    registry = Registry(address, "poems")
    assert (registry.versions(), registry.log(), registry.verify(), registry.champion()) == ([], [], [], None)
    assert model_names(address) == []


def test_only_the_needed_files_are_fetched_and_only_once(used: Registry, proxy: Proxy, address: str, elsewhere: Callable[[], None]) -> None:
    elsewhere()
    version = Registry(address, "poems").version(1)
    for _ in range(2):
        proxy.requests.clear()
        assert version.read("model/weights") == b"weights 1" and version.fetch(["model/weights"]) == version.folder
    assert proxy.requests == []
    assert not (version.folder / "model" / "inner").exists()
    version.verify()
    proxy.requests.clear()
    version.verify()
    assert proxy.kinds == ["list", "read"]  # the names and digests of its files, and the attestation


@pytest.mark.parametrize("damage", ["changed", "link", "folder", "removed"])
def test_a_damaged_file_in_the_cache_is_fetched_again(used: Registry, damage: str) -> None:
    version = used.version(1)
    path = version.fetch() / "model" / "weights"
    path.unlink()
    if damage == "changed":
        path.write_text("forged")
    elif damage == "link":
        path.symlink_to(version.folder / "manifest.json")
    elif damage == "folder":
        path.mkdir()
    assert version.read("model/weights") == b"weights 1"
    path.unlink()
    (version.folder / "added").write_text("x")
    (version.folder / "more").mkdir()
    version.verify()
    assert path.read_text() == "weights 1" and not path.is_symlink()
    assert sorted(found.name for found in version.folder.iterdir()) == ["manifest.json", "model"]


@pytest.mark.parametrize("listed", ["MD5", "no MD5, as with customer-managed keys"])
def test_a_changed_bucket_is_noticed_although_the_cache_is_intact(
    used: Registry, gcs: Any, listed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if listed != "MD5":
        monkeypatch.setattr(mirror_module, "_same", lambda *_: False)
    version = used.version(2)
    version.verify()
    blob = blob_of(gcs, version, "model/weights")
    blob.upload_from_string("forged")
    for use in (lambda: used.verify(), lambda: used.promote(2, **SAID)):
        with pytest.raises(Corrupt, match=f"{version.address}/model/weights: the object was changed after the registration"):
            use()
    assert version.read("model/weights") == b"weights 2"  # a reader that has the registered bytes can go on
    blob.delete()
    with pytest.raises(Corrupt, match=f"{version.address}: model/weights is missing"):
        version.verify()
    blob.upload_from_string("weights 2")
    version.verify()
    blob_of(gcs, version, "model/extra").upload_from_string("x")
    with pytest.raises(Corrupt, match="model/extra was added"):
        version.verify()
    blob_of(gcs, version, "model/extra").delete()
    blob_of(gcs, version, "manifest.json").upload_from_string("{}")
    with pytest.raises(Corrupt, match=r"manifest.json: the object was changed"):
        version.verify()


def test_a_forged_object_never_reaches_the_cache(used: Registry, gcs: Any, address: str, elsewhere: Callable[[], None]) -> None:
    version = used.version(1)
    blob_of(gcs, version, "model/weights").upload_from_string("forged")
    elsewhere()
    other = Registry(address, "poems").version(1)
    for use in (other.fetch, other.verify, lambda: other.read("model/weights")):
        with pytest.raises(Corrupt, match="the object was changed"):
            use()
    assert not (other.folder / "model" / "weights").exists()
    assert list((other.folder.parents[1] / ".fetching").iterdir()) == []


def test_a_missing_or_changed_attestation_is_noticed(used: Registry, gcs: Any) -> None:
    record = used.state().record(1)
    blob = gcs.bucket("poets").blob(f"{used.address.removeprefix('gs://poets/')}/attestations/{record.attestation}.json")
    kept = blob.download_as_bytes()
    blob.upload_from_string(kept.replace(b"mediaType", b"mediatype"))
    with pytest.raises(Corrupt, match="attestations/.*: the object was changed"):
        used.verify(1)
    blob.delete()
    with pytest.raises(Corrupt, match="attestations/.*: the object is missing"):
        used.verify(1)


def test_a_further_decision_is_kept_in_the_bucket(used: Registry, gcs: Any, address: str, elsewhere: Callable[[], None]) -> None:
    used.judge_again(3, {"verdict": "rejected"}, {"perplexity": 50.0}, verdict="rejected", **SAID)
    elsewhere()
    reader = Registry(address, "poems")
    assert reader.decision(3) == {"verdict": "rejected", "metrics": {"perplexity": 50.0}}
    blob = gcs.bucket("poets").blob(f"{used.address.removeprefix('gs://poets/')}/decisions/{reader.state().record(3).decision}.json")
    blob.upload_from_string("{}")
    assert reader.decision(3)["verdict"] == "rejected"
    with pytest.raises(Corrupt, match=f"{address}/poems/decisions/.*: the object was changed"):
        reader.verify(3)


def test_a_purge_removes_the_objects_and_can_be_repeated(used: Registry, gcs: Any, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    version = used.version(3)
    other = Registry(address, "poems")
    other.verify()
    remove, removed = BucketFiles.remove, []

    def once(self: BucketFiles, name: str) -> None:
        if removed:
            raise BadInput("the bucket cannot be reached", where=address)
        removed.append(name)
        remove(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(BucketFiles, "remove", once)
        with pytest.raises(BadInput, match="cannot be reached"):
            used.purge(3, **SAID)
    assert used.version(3).purged and len(used.log()) == 7
    assert used.purge(3, **SAID) > 0 and used.purge(3, **SAID) == 0 and len(used.log()) == 7
    assert not list(gcs.list_blobs("poets", prefix=version.address.removeprefix("gs://poets/")))
    assert not version.folder.exists() and used.unregistered_folders() == []
    version.folder.mkdir(parents=True)
    other.state()  # on another machine: what was purged leaves its cache with the next look
    assert not version.folder.exists() and other.version(1).folder.exists()
    with pytest.raises(BadInput, match="the files were purged"):
        used.version(3).fetch()
    assert len(used.verify()) == 2


def test_an_interrupted_registration_is_finished_by_the_next(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create, left = BucketFiles.create, 0

    def limited(self: BucketFiles, name: str, data: bytes) -> bool:
        nonlocal left
        left -= 1
        if left < 0:
            raise BadInput("the bucket cannot be reached", where=address)
        return create(self, name, data)

    monkeypatch.setattr(BucketFiles, "create", limited)
    for left in range(5):  # two files, the manifest, the attestation, the entry
        with pytest.raises(BadInput, match="cannot be reached"):
            register(Registry(address, "poems"), tmp_path)
        left = 0
        assert Registry(address, "poems").verify() == []
    assert len(Registry(address, "poems").unregistered_folders()) == 1
    left = 10
    assert register(Registry(address, "poems"), tmp_path).number == 1
    assert len(Registry(address, "poems").verify()) == 1 and Registry(address, "poems").unregistered_folders() == []


def test_the_damaged_object_of_an_interrupted_registration_is_named(address: str, gcs: Any, tmp_path: Path) -> None:
    registry = Registry(address, "poems")
    register(registry, tmp_path, 1)
    version = registry.version(1)
    other = Registry(f"{address}-other", "poems")
    path = version.address.removeprefix(address)
    gcs.bucket("poets").blob(f"{other.root.removeprefix('gs://poets/')}{path}/model/weights").upload_from_string("partly")
    with pytest.raises(Corrupt, match="model/weights: the object of an interrupted registration is damaged; remove it"):
        register(other, tmp_path, 1)
    assert other.log() == []


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.soak)])
def test_a_killed_fetch_leaves_nothing_that_counts(used: Registry, address: str, elsewhere: Callable[[], None], stride: int) -> None:
    """A forked child leaves at its k-th operation on a file of the cache, for growing k until it lives through."""
    lived = False
    elsewhere()
    for step in range(1, 300, stride):
        child = os.fork()
        if child == 0:
            left = step

            def hook(event: str, args: tuple[object, ...], root: str = str(cache_folder())) -> None:
                nonlocal left
                if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.chmod") and any(str(arg).startswith(root) for arg in args):
                    left -= 1
                    if left == 0:
                        os._exit(KILLED)

            sys.addaudithook(hook)
            Registry(address, "poems").verify()
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, KILLED)
        if lived := code == 0:
            break
    assert lived and step > 14
    assert len(Registry(address, "poems").verify()) == 3


def test_readers_share_a_cache(used: Registry, address: str, elsewhere: Callable[[], None]) -> None:
    elsewhere()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(5):
                assert len(Registry(address, "poems").verify()) == 3
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_names_outside_the_version_are_refused(address: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name in ("../x", "/etc/x", "a/../../x", "./x", "a//b"):
        manifest = Manifest("poems", {name: "0" * 64}, {}, {}, {})
        BucketFiles(address).create(f"poems/versions/{manifest.digest[:16]}/manifest.json", manifest.to_bytes())
        with pytest.raises(Corrupt, match="outside the version"):
            Mirror(address, "poems").fetch(manifest.digest)


def test_a_full_disk_is_one_line(used: Registry, elsewhere: Callable[[], None], address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere()
    version = Registry(address, "poems").version(1)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.raises(
        BadInput, match="the cache of the registry cannot be written .No space left on device.; free space, or set ROBO_POET_CACHE"
    ):
        version.fetch()
