"""A store, runs, a registry and a request log as two trainings leave them, made in milliseconds. `Ann Bell` and her poem are to be deleted."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.deletion.inventory import Folders
from pipelines.run.store.entry import Artifact, Entry
from robo_poet.corpus.curation.dropped import Dropped, write_dropped
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from robo_poet.digest import digest_json, digest_path
from robo_poet.registry.registry import Registry
from robo_poet.request_log.layout import REQUESTS, table

NAME = "Ann Bell"
POEM = "The heron waits where the slow river bends\nand nobody counts the hours it spends,\nsays Ann Bell."
OTHERS = {f"other-{i}": f"Poem number {i} is about the sea, the wind and {i} grey gulls over the harbour wall." for i in range(6)}


def document(id_: str, text: str, split: str = "train", **fields: str) -> Document:
    return Document(id=id_, group=id_, text="", split=split, source="user", licence="by permission", **fields).with_text(text)


@dataclass
class World:
    """The folders, and helpers that add results to them."""

    root: Path

    @property
    def folders(self) -> Folders:
        return Folders(*(self.root / name for name in ("store", "runs", "registry", "deletions", "serve/requests", "build")))

    def entry(self, task: str, files: dict[str, Any], *, artifacts: dict[str, str] | None = None, **parameters: Any) -> Entry:
        """Store a result; a file is text, bytes, a list of documents, or a table."""
        parts = {"image": f"robo-poet/{task}:1", "parameters": parameters, "artifacts": artifacts or {}}
        key = digest_json(parts)
        folder = self.folders.store / "done" / key
        (folder / "artifacts").mkdir(parents=True)
        made = {}
        for name, content in files.items():
            path = folder / "artifacts" / name
            if isinstance(content, str):
                path.write_text(content)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            elif isinstance(content, pa.Table):
                pq.write_table(content, path)
            elif name == "dropped":
                write_dropped(path, content)
            else:
                write_documents(path, content)
            made[name] = Artifact(path, digest_path(path), {})
        entry = Entry(task, key, parts, {}, made, 1.0, (), 1.0)
        (folder / "entry.json").write_text(entry.to_json())
        return entry

    def training(
        self, name: str, documents: list[Document], model: str = "poems", dropped: list[Dropped] | None = None
    ) -> dict[str, Entry]:
        """Store the results of a training on these documents, its run and its version."""
        ingest = self.entry("ingest", {"corpus": documents, "dropped": dropped or []}, source=f"/home/{name}", source_digest="", seed=name)
        corpus = ingest.artifacts["corpus"].digest
        clean = [d.with_text(d.text.replace(NAME, "<PERSON>")) for d in documents]
        named = [d.id for d in documents if NAME in d.text]
        audit = pa.table({
            "document": pa.array(named, pa.string()), "source": pa.array(["user"] * len(named), pa.string()),
            "entity": pa.array(["PERSON"] * len(named), pa.string()),
            "start": [1] * len(named), "end": [9] * len(named), "score": [0.9] * len(named), "recognizer": pa.array(["x"] * len(named), pa.string()),
        })  # fmt: skip
        scrub = self.entry("scrub-pii", {"scrubbed": clean, "audit": audit}, artifacts={"corpus": corpus})
        scrubbed = scrub.artifacts["scrubbed"].digest
        model_entry = self.entry(
            "train-model", {"model": f"weights of {name}".encode() + b"\xff\x00" * 200}, artifacts={"scrubbed": scrubbed}
        )
        inputs = {"model": model_entry.artifacts["model"].digest, "dropped": ingest.artifacts["dropped"].digest}
        report = self.entry("write-report", {"report": f"<h1>{name}</h1>"}, artifacts=inputs)
        entries = {"ingest": ingest, "scrub-pii": scrub, "train-model": model_entry, "write-report": report}
        run = self.folders.runs / f"2026-{name}"
        (run / "logs").mkdir(parents=True)
        events = [{"task": "", "state": "started", "detail": {"parameters": {"source": f"/home/{name}"}}}]
        events += [{"task": t, "state": "ran", "detail": {"key": e.key}} for t, e in entries.items()]
        (run / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
        (run / "report.html").write_text(f"<p>{documents[0].text}</p>")
        latest = self.folders.runs / "latest"
        latest.unlink(missing_ok=True)
        latest.symlink_to(run.name)
        Registry(self.folders.registry, model).register(
            {"model": model_entry.artifacts["model"].path, "report.html": report.artifacts["report"].path},
            metrics={}, lineage={"inputs": {"corpus": corpus, "scrubbed": scrubbed}}, decision={}, stage="candidate", who="test", why="test",
        )  # fmt: skip
        return entries

    def request(self, completion: str, prompt: str, user: str = "u") -> None:
        day = self.folders.requests / "date=2026-03-01"
        day.mkdir(parents=True, exist_ok=True)
        row = {"completion_id": completion, "time": 1772000000.0, "user": user, "prompt": prompt, "completions": ["answer"]}
        pq.write_table(table([row], REQUESTS), day / f"part-a-{len(list(day.iterdir()))}.parquet")

    def containing(self, *words: str) -> list[str]:
        """Return the files with one of the words, as `grep -ril` and a reader of all Parquet tables would find them."""
        found = []
        for base, _, names in os.walk(self.root):
            for name in names:
                path = Path(base, name)
                data = path.read_bytes()
                if data.startswith(b"PAR1"):
                    data = json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False).encode()
                if any(word.lower().encode() in data.lower() or word.lower() in str(path).lower() for word in words):
                    found.append(str(path.relative_to(self.root)))
        return sorted(found)


def filled(root: Path) -> World:
    """Fill a folder: the training `mine` with the poem, the training `other` without it."""
    world = World(root)
    others = [
        document(id_, text, split)
        for (id_, text), split in zip(OTHERS.items(), ("train", "train", "train", "validation", "test", "test"), strict=True)
    ]
    world.training("mine", [document("heron", POEM, author=NAME), *others])
    world.training("other", others)
    work = world.folders.store / "work"
    (work / "train_model-0123456789abcdef").mkdir(parents=True)
    (work / "train_model-0123456789abcdef" / "checkpoint").write_bytes(b"\x00")
    (world.folders.store / "done" / ".dropped-x").mkdir()
    (world.folders.store / "done" / ".dropped-x" / "corpus").write_text(POEM)
    (world.folders.store / "profile.yaml").write_text("description: about the poems of ann bell\n")
    world.folders.reports.mkdir()
    (world.folders.reports / "compared.html").write_text(f"<q>{POEM.replace(chr(10), ' ')}</q>")
    (world.folders.reports / "kept.html").write_text("<q>Nothing</q>")
    world.request("one", "Write like ANN   BELL")
    world.request("two", "the slow river bends and nobody counts the hours it spends")
    world.request("three", "Write about the sea")
    return world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield filled(tmp_path / "world")
