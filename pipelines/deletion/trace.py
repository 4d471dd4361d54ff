"""The trace of a document: its origin, licence, consent and transformations, and where it is stored and was trained on (DATA-4)."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines.deletion.inventory import Folders, Inventory, take_inventory
from pipelines.deletion.plan import AffectedVersion, DeletionPlan, derive, trained_versions
from pipelines.deletion.search import SCRUBBING, FoundDocument, LeftOut, Search, search_corpora
from robo_poet.corpus.curation.dropped import Dropped
from robo_poet.corpus.document import Document
from robo_poet.corpus.words import comparable
from robo_poet.deletion.records import receipts_of
from robo_poet.deletion.selection import Selection
from robo_poet.deletion.suppression import read_suppression
from robo_poet.errors import BadInput
from robo_poet.privacy.findings import read_audit


@dataclass
class Trace:
    """Where a document is.

    Attributes:
        address: address of the corpus that it comes from; empty if it is bundled or not known.
        steps: step → keys of the cached results that contain it or were made from it.
        runs: names of the runs that used such a result.
        findings: kind of personal data → number of replaced spans.
        copies: number of other stored documents with the same comparable text.
        versions: the versions whose corpus contains it.
    """

    document: Document
    address: str
    steps: dict[str, list[str]] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    findings: dict[str, int] = field(default_factory=dict)
    copies: int = 0
    versions: list[AffectedVersion] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the trace without the text of the document."""
        d = self.document
        names = ("id", "group", "title", "author", "source", "genre", "language", "date", "licence", "consent", "split", "sha256")
        versions = [
            {"version": item.version.name, "digest": item.version.digest, "stage": str(item.version.stage), "splits": item.splits}
            for item in self.versions
        ]
        return {
            **{name: getattr(d, name) for name in names}, "characters": len(d.text), "corpus": self.address, "steps": self.steps,
            "runs": self.runs, "findings": self.findings, "copies": self.copies, "versions": versions,
        }  # fmt: skip


@dataclass
class LeftOutTrace:
    """A document that ingestions left out: its row, the addresses of its sources, keys of the cached ingestions, names of the runs."""

    row: Dropped
    addresses: list[str]
    keys: list[str]
    runs: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the trace as JSON values."""
        return {**asdict(self.row), "why": self.row.why, "corpora": self.addresses, "keys": self.keys, "runs": self.runs}


def trace(folders: Folders, selection: Selection) -> tuple[list[Trace], list[LeftOutTrace], dict[str, dict[str, Any]]]:
    """Trace the selected documents.

    Returns:
        - The trace of each stored document by its text before scrubbing, or after it if only that is stored.
        - The selected documents that ingestions left out. They are found by id, title, author and source, because no text is stored.
        - The receipts of earlier deletions of the selection.

    Raises:
        BadInput: a receipt or the suppression list is damaged.
    """
    inventory = take_inventory(folders)
    search = search_corpora(inventory, selection)
    same = Counter(comparable(item.document.text) for item in search.items)
    traces = [_trace(inventory, selection, item, same[comparable(item.document.text)] - 1) for item in search.items]
    suppression = read_suppression(folders.deletions)
    digests = [suppression.digest(kind, value) for kind, value in selection.values()] if suppression else []
    if suppression:
        digests += [suppression.digest("text", piece) for piece in selection.pieces]
    left_out = [_trace_left_out(inventory, item) for item in search.left_out]
    return sorted(traces, key=lambda t: (t.document.id, t.document.sha256)), left_out, receipts_of(folders.deletions, digests)


def _trace_left_out(inventory: Inventory, item: LeftOut) -> LeftOutTrace:
    keys = sorted({table.unit.path.name for table in item.tables if table.unit.kind == "cache entry"})
    runs = sorted(unit.path.name for unit, used in inventory.runs.items() if used.keys & set(keys))
    return LeftOutTrace(item.row, sorted({table.address for table in item.tables if table.address}), keys, runs)


def _trace(inventory: Inventory, selection: Selection, item: FoundDocument, copies: int) -> Trace:
    only = DeletionPlan(inventory, selection, Search({(item.document.id, item.document.sha256): item}))
    digests = derive(only)
    steps: dict[str, list[str]] = {}
    findings = Counter[str]()
    for unit in only.units:
        if entry := inventory.entries.get(unit):
            steps.setdefault(entry.task, []).append(entry.key)
            if entry.task == SCRUBBING and "audit" in entry.artifacts:
                findings |= _findings(entry.artifacts["audit"].path, item.document.id)
    address = next((address for corpus in item.corpora if (address := inventory.origin(corpus))), "")
    runs = sorted(unit.path.name for unit in only.units if unit.kind == "run")
    return Trace(
        item.document, address, dict(sorted(steps.items())), runs, dict(sorted(findings.items())), copies, trained_versions(only, digests)
    )


def _findings(audit: Path, document: str) -> Counter[str]:
    try:
        return Counter(entity for entity, _, _ in read_audit(audit).get(document, ()))
    except BadInput:
        return Counter()
