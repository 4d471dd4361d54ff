"""The plan of a deletion: what would be removed, and the versions that were trained on it. Making a plan changes nothing."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.deletion.inventory import Folders, Inventory, Unit, files_of, take_inventory
from pipelines.deletion.search import Search, mentions, search_corpora, units_that_quote
from robo_poet.corpus.parquet import SPLITS
from robo_poet.deletion.selection import Selection
from robo_poet.deletion.wording import Quotes
from robo_poet.digest import digest_file
from robo_poet.errors import BadInput
from robo_poet.outcomes.files import count_of_user as count_of_outcomes
from robo_poet.outcomes.files import outcomes_of
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.versions.version import Version
from robo_poet.request_log.deletion import completions_that_match, count_of_user

TRAINED, LEFT_OUT, DERIVED, NAMED, UNREADABLE, UNKNOWN, LEFTOVER = (
    "contains a document", "names a document that was left out", "made from a document",
    "names or quotes it", "cannot be read", "its origin is not stored", "left over",
)  # fmt: skip
SMALLEST_COPY = 256  # bytes; smaller files can be equal by chance


@dataclass(frozen=True)
class AffectedVersion:
    """A version that was trained on a selected document, or whose files name or quote it.

    Args:
        splits: split → number of selected documents in its corpus; empty if it is only quoted.
        started_from: name of the affected version whose weights started its training; empty for none.
        quoted: a file of the version names the subject or quotes a document.
    """

    version: Version
    splits: dict[str, int]
    started_from: str
    quoted: bool

    @property
    def advice(self) -> tuple[str, str]:
        """Return what to do (`nothing`, `keep`, `retrain` or `retire`) and the reason."""
        version = self.version
        learned = bool(self.splits.get("train") or self.started_from)
        if version.purged:
            return "nothing", "its files are purged"
        if not learned and not self.quoted:
            return "keep", "its weights were not trained on it: it was only validation or test text"
        why = "its weights were trained on it" if learned else "a file of the version quotes it"
        if version.stage == "champion":
            return "retrain", f"{why}; train and promote a new version, then archive and purge this one"
        if version.stage in ("canary", "candidate"):
            return "retire", f"{why}; archive and purge it"
        return "retire", f"{why}; purge it"


@dataclass
class DeletionPlan:
    """What a deletion would do.

    Attributes:
        units: unit → reason.
        versions: affected versions. They are never changed.
        unknown: names of versions whose corpus is not stored, so it is not known whether they were trained on it.
        completions: ids of requests whose texts name or quote it.
        pseudonyms: users with the name of the subject → number of their records in the request log and the outcomes.
        copies: files outside these folders that are copies, or name or quote it. They are never changed.
    """

    inventory: Inventory
    selection: Selection
    search: Search
    units: dict[Unit, str] = field(default_factory=dict)
    versions: list[AffectedVersion] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    completions: list[str] = field(default_factory=list)
    pseudonyms: dict[str, int] = field(default_factory=dict)
    copies: list[Path] = field(default_factory=list)

    @property
    def removes(self) -> bool:
        """Return True if there is something to remove."""
        return bool(self.units or self.completions or any(self.pseudonyms.values()) or self.search.selected)

    def counts(self) -> dict[str, int]:
        """Return the number of units by kind, and of records in the request log."""
        kinds = Counter(unit.kind for unit in self.units)
        requests = len(self.completions) + sum(self.pseudonyms.values())
        left_out = {"documents left out": len(self.search.left_out)} if self.search.left_out else {}
        return {"documents": len(self.search.items), **left_out, **dict(sorted(kinds.items())), "requests": requests}


def plan_deletion(
    folders: Folders, selection: Selection, *, everything: bool = False, also: Iterable[Path] = (),
    pseudonym: Callable[[str], str] | None = None,
) -> DeletionPlan:  # fmt: skip
    """Find what a deletion has to remove.

    - Documents are searched in all stored corpora, and by id, title, author and source among those that ingestions left out.
    - A cache entry is removed if it contains a document or was made from a corpus with a document. A run is removed if it used such an
      entry, with its working folders.
    - All other files are searched for the names of subjects and for quotations of eight words.
    - If anything was found, results whose origin is no longer stored are removed too, because they could be made from a document.

    Args:
        everything: accept a selection of all stored documents.
        also: further folders, such as exports and backups, which are only searched.
        pseudonym: returns the pseudonym of a user's name; None if the request log has no key.

    Raises:
        BadInput: all stored documents are selected, and `everything` is not set.
    """
    inventory = take_inventory(folders)
    search = search_corpora(inventory, selection)
    if search.everything and not everything:
        raise BadInput(
            f"the selection matches all {len(search.ids)} stored documents",
            remedy="select fewer, or confirm with --all",
        )
    plan = DeletionPlan(inventory, selection, search)
    digests = derive(plan)
    quotes = Quotes(selection.subjects, [item.document.text for item in search.selected.values()])
    if quotes:
        rest = [unit for unit in inventory.units if unit not in plan.units and unit.kind != "leftover"]
        plan.units |= dict.fromkeys(units_that_quote(inventory, rest, quotes), NAMED)
        is_logged = folders.requests.is_dir()
        plan.completions = completions_that_match(folders.requests, quotes.match) if is_logged else []
        for name in sorted({pseudonym(subject) for subject in selection.subjects}) if pseudonym else ():
            logged = count_of_user(folders.requests, name) if is_logged else 0
            if count := logged + count_of_outcomes(outcomes_of(folders.requests), name):
                plan.pseudonyms[name] = count
    _add_runs(plan)  # again: results that quote it were added
    plan.versions = trained_versions(plan, digests, quotes)
    if plan.removes:
        _add_unknown(plan)
    plan.unknown = _unknown_versions(plan)
    plan.copies = _copies(plan, also, quotes)
    return plan


def derive(plan: DeletionPlan) -> set[str]:
    """Add the cache entries that contain a document or name one that was left out, those made from them, and the runs that used them.

    Returns:
        The digests of the corpora and of the outputs of these entries.
    """
    corpora = plan.search.corpora
    digests = {corpus.digest for corpus in corpora}
    plan.units |= {corpus.unit: TRAINED for corpus in corpora}
    for item in plan.search.left_out:
        for dropped in item.tables:
            plan.units.setdefault(dropped.unit, LEFT_OUT)
    tables = {dropped.path for dropped in plan.inventory.dropped}  # what is made from one contains counts only
    changed = True
    while changed:
        changed = False
        for unit, entry in plan.inventory.entries.items():
            if entry is None:
                continue
            inputs = {*entry.ingredients["artifacts"].values(), *filter(_is_digest, entry.ingredients["parameters"].values())}
            if unit in plan.units or inputs & digests:
                plan.units.setdefault(unit, DERIVED)
                outputs = {artifact.digest for artifact in entry.artifacts.values() if artifact.digest and artifact.path not in tables}
                new = outputs - digests
                changed = changed or bool(new)
                digests |= new
    _add_runs(plan)
    return digests


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64


def _add_runs(plan: DeletionPlan) -> None:
    """Add the runs that used a removed cache entry, and the working folders of removed runs and entries."""
    keys = {unit.path.name for unit in plan.units if unit.kind == "cache entry"}
    working = {key[:16] for key in keys}
    for unit, used in plan.inventory.runs.items():
        if used.keys & keys or unit in plan.units:
            plan.units.setdefault(unit, DERIVED)
            working |= {name.rpartition("-")[2] for name in used.working_folders}
    for unit in plan.inventory.others:
        if unit.kind == "working folder" and unit.path.name.rpartition("-")[2] in working:
            plan.units.setdefault(unit, DERIVED)


def _add_unknown(plan: DeletionPlan) -> None:
    """Add what may contain a document, but cannot be checked."""
    entries = plan.inventory.entries
    produced = {artifact.digest for entry in entries.values() if entry for artifact in entry.artifacts.values()}
    for unit, entry in entries.items():
        if entry is None:
            plan.units.setdefault(unit, UNREADABLE)
        elif not set(entry.ingredients["artifacts"].values()) <= produced:
            plan.units.setdefault(unit, UNKNOWN)
    for unit in plan.search.unreadable:
        plan.units.setdefault(unit, UNREADABLE)
    attributed = {name for used in plan.inventory.runs.values() for name in used.working_folders}
    for unit in plan.inventory.others:
        if unit.kind == "leftover":
            plan.units.setdefault(unit, LEFTOVER)
        elif unit.kind == "working folder" and unit.path.name not in attributed:
            plan.units.setdefault(unit, UNKNOWN)


def trained_versions(plan: DeletionPlan, digests: Collection[str], quotes: Quotes | None = None) -> list[AffectedVersion]:
    """Return the versions that were trained on a selected document, by model and number.

    Args:
        digests: result of `derive`.
        quotes: return also the versions with a file that names the subject or quotes a document.
    """
    splits = _splits_by_corpus(plan.search)
    affected: dict[str, AffectedVersion] = {}
    for version in plan.inventory.versions:  # by number: a version can start only from an earlier one
        if version.purged:
            continue
        lineage = _lineage(version)
        inputs = lineage.get("inputs", {})
        start = lineage.get("settings", {}).get("train", {}).get("warm_start", 0)
        started_from = f"{version.model}/{start}" if start and f"{version.model}/{start}" in affected else ""
        counts = next((splits[inputs[name]] for name in ("corpus", "scrubbed") if inputs.get(name) in splits), Counter[str]())
        if not counts and {inputs.get("corpus"), inputs.get("scrubbed")} & set(digests):
            counts = sum((splits[digest] for digest in {corpus.digest for corpus in plan.search.corpora}), Counter[str]())
        quoted = quotes is not None and any(mentions(path, quotes) for path in files_of(Unit("version", _folder(version))))
        if counts or started_from or quoted:
            affected[version.name] = AffectedVersion(version, {s: counts[s] for s in SPLITS if counts[s]}, started_from, quoted)
    return list(affected.values())


def _lineage(version: Version) -> Mapping[str, Any]:
    """Return the lineage of a version; empty if its manifest is damaged, because that must not stop a deletion."""
    try:
        return version.manifest().lineage
    except Corrupt:
        return {}


def _folder(version: Version) -> Path:
    """Return the folder of a version with its files, as far as they are intact."""
    try:
        return version.fetch()
    except Corrupt:
        return version.folder


def _files_of_version(version: Version) -> Collection[str]:
    try:
        return version.manifest().files.values()
    except Corrupt:
        return ()


def _splits_by_corpus(search: Search) -> dict[str, Counter[str]]:
    """Return, for the digest of each corpus, the number of selected documents by split."""
    splits: dict[str, Counter[str]] = {}
    for item in search.selected.values():
        for digest in {corpus.digest for corpus in item.corpora}:  # scrubbing may change nothing, so two corpora may be equal
            splits.setdefault(digest, Counter())[item.document.split] += 1
    return splits


def _unknown_versions(plan: DeletionPlan) -> list[str]:
    """Return the versions whose corpus is not stored."""
    stored = {corpus.digest for corpus in plan.inventory.corpora}
    affected = {item.version.name for item in plan.versions}
    unknown = []
    for version in plan.inventory.versions:
        if not version.purged and version.name not in affected:
            inputs = _lineage(version).get("inputs", {})
            if not {inputs.get("corpus"), inputs.get("scrubbed")} & stored:
                unknown.append(version.name)
    return unknown


def _copies(plan: DeletionPlan, also: Iterable[Path], quotes: Quotes) -> list[Path]:
    """Return the files below other folders that are copies of an affected file, or that name or quote a document."""
    digests = {corpus.digest for corpus in plan.search.corpora}
    digests |= {digest for item in plan.versions for digest in _files_of_version(item.version)}
    for unit in plan.units:
        if entry := plan.inventory.entries.get(unit):
            digests |= {artifact.digest for artifact in entry.artifacts.values()}
    files = (path for folder in also for path in files_of(Unit("other", folder)))
    return [path for path in files if _is_copy(path, digests) or (quotes and mentions(path, quotes))]


def _is_copy(path: Path, digests: Collection[str]) -> bool:
    return path.stat().st_size >= SMALLEST_COPY and digest_file(path) in digests
