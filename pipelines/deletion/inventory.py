"""What the store, the runs and the registry hold: stored corpora, lineage of results, and which runs used them."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.run.store.entry import Entry
from pipelines.run.store.store import Store
from robo_poet.corpus.curation.dropped import is_dropped
from robo_poet.corpus.parquet import SCHEMA
from robo_poet.digest import digest_file
from robo_poet.local_folder import Address
from robo_poet.registry.names import model_names
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version

DROPPED = ".dropped-"  # prefix of folders that are being removed


@dataclass(frozen=True)
class Folders:
    """The folders that are searched. Absolute paths; a folder need not exist.

    Attributes:
        registry: folder of the registry, or `gs://bucket/prefix`.
        requests: folder of the request log.
        reports: folder of pages written by `registry show --html` and `runs compare --html`.
    """

    store: Path
    runs: Path
    registry: Address
    deletions: Path
    requests: Path
    reports: Path


@dataclass(frozen=True)
class Unit:
    """A folder or file that is removed as a whole.

    Attributes:
        kind: `cache entry`, `working folder`, `run`, `leftover` or `report`.
    """

    kind: str
    path: Path


@dataclass(frozen=True)
class StoredCorpus:
    """A corpus file, the unit it belongs to, the step that wrote it (empty if unknown), and its SHA-256."""

    path: Path
    unit: Unit
    step: str
    digest: str


@dataclass(frozen=True)
class DroppedTable:
    """A table of the documents that an ingestion left out, the unit it belongs to, and the address of the source; empty if unknown."""

    path: Path
    unit: Unit
    address: str


@dataclass(frozen=True)
class UsedBy:
    """A run: its folder, the cache keys that it used, its working folders, the version that it registered, and the corpus's address."""

    folder: Path
    keys: frozenset[str]
    working_folders: frozenset[str]
    version: str
    source: str


@dataclass
class Inventory:
    """Everything stored.

    Attributes:
        entries: results in the cache by their unit; None for a result that cannot be read.
    """

    folders: Folders
    entries: dict[Unit, Entry | None] = field(default_factory=dict)
    runs: dict[Unit, UsedBy] = field(default_factory=dict)
    others: list[Unit] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    corpora: list[StoredCorpus] = field(default_factory=list)
    dropped: list[DroppedTable] = field(default_factory=list)

    @property
    def units(self) -> list[Unit]:
        """Return all units: cache entries, runs, working folders, leftovers and reports."""
        return [*self.entries, *self.runs, *self.others]

    def origin(self, corpus: StoredCorpus) -> str:
        """Return the address of the source of a corpus; empty if it is not known, or if the corpus is bundled."""
        digest = corpus.digest
        for _ in range(2):  # scrub_pii, ingest
            for entry in self.entries.values():
                if entry and any(artifact.digest == digest for artifact in entry.artifacts.values()):
                    if "source" in entry.ingredients["parameters"]:
                        return str(entry.ingredients["parameters"]["source"])
                    digest = entry.ingredients["artifacts"].get("corpus", "")
                    break
        return ""


def take_inventory(folders: Folders) -> Inventory:
    """List what is stored. Reads records and schemas, but no texts.

    Raises:
        Corrupt: the log of a model differs from what was written.
    """
    inventory = Inventory(folders)
    store = Store(folders.store)
    for path in _subfolders(store.done):
        inventory.entries[Unit("cache entry", path)] = _entry(path)
    for path in _subfolders(folders.runs.resolve()):
        if (path / "events.jsonl").exists():
            inventory.runs[Unit("run", path)] = _used_by(path)
        else:
            inventory.others.append(Unit("run", path))
    for path in _subfolders(store.work):
        inventory.others.append(Unit("working folder", path))
    for parent in (store.done, store.work, folders.runs.resolve(), folders.store.resolve()):
        inventory.others += [Unit("leftover", path) for path in sorted(parent.glob(f"{DROPPED}*"))]
    known = (store.done, store.work)
    inventory.others += [Unit("report", path) for path in _files(folders.store.resolve(), skip=known)]
    inventory.others += [Unit("report", path) for path in _files(folders.reports) if path.suffix in (".html", ".json", ".txt", ".md")]
    for model in model_names(folders.registry):
        inventory.versions += Registry(folders.registry, model).versions()
    for unit in inventory.units:
        entry = inventory.entries.get(unit)
        for path in _files(unit.path):
            if is_corpus(path):
                inventory.corpora.append(StoredCorpus(path, unit, entry.task if entry else "", digest_file(path)))
            elif is_dropped(path):
                address = entry.ingredients["parameters"].get("source", "") if entry else ""
                inventory.dropped.append(DroppedTable(path, unit, str(address)))
    return inventory


def is_corpus(path: Path) -> bool:
    """Return True if a file is a Parquet table with the columns of a corpus."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                return False
        return set(SCHEMA.names) <= set(pq.read_schema(path).names)
    except (OSError, pa.ArrowException):
        return False


def files_of(unit: Unit) -> Iterator[Path]:
    """Yield the regular files of a unit. Links are not followed."""
    return _files(unit.path)


def _files(path: Path, skip: Iterable[Path] = ()) -> Iterator[Path]:
    if path.is_file() and not path.is_symlink():
        yield path
        return
    skipped = {str(folder) for folder in skip}
    for base, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if os.path.join(base, name) not in skipped and not name.startswith(DROPPED))
        for name in sorted(names):
            if (file := Path(base, name)).is_file() and not file.is_symlink():
                yield file


def _subfolders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.glob("*") if path.is_dir() and not path.is_symlink() and not path.name.startswith(DROPPED))


def _entry(folder: Path) -> Entry | None:
    try:
        return Entry.read(folder)
    except (ValueError, OSError):
        return None


def _used_by(folder: Path) -> UsedBy:
    keys, working_folders, source = set[str](), set[str](), ""
    for line in (folder / "events.jsonl").read_text("utf-8", "replace").splitlines():
        try:
            detail = json.loads(line)["detail"]
            if key := detail.get("key"):
                keys.add(str(key))
            if working_folder := detail.get("folder"):
                working_folders.add(Path(working_folder).name)
            source = source or str(detail.get("parameters", {}).get("source", ""))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):  # incomplete last line of a killed run
            continue
    summary = _object(folder / "summary.json")
    version = f"{summary.get('model')}/{summary['version']}" if summary.get("version") else ""
    return UsedBy(folder, frozenset(keys), frozenset(working_folders), version, source)


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
