"""The registry of one model's versions. It records which version is champion, which is canary, and why (REG-1, REG-2).

`<registry>/<model>/log/` holds the state, `<registry>/<model>/versions/` the immutable contents. There is no lock. A change is a decision
based on the state that was read, appended at the next index. A writer that loses this index reads and decides again.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.registry.entry import Conflict, Corrupt, Entry, Lost, OtherSource, Statement
from robo_poet.registry.log import FolderLog, Log
from robo_poet.registry.names import check_name, refuse_old_form
from robo_poet.registry.state import Action, Record, Stage, State, apply, fold
from robo_poet.registry.version import (
    Manifest,
    Version,
    digest_sources,
    finite_metrics,
    folder_of,
    list_sources,
    remove_folder,
    write_version,
)

NO_CHAMPION = "none"  # the champion of a run that was submitted without one; no other value means this
EXPOSING = (Action.SET_SHARE, Action.HOLD_CANARY, Action.RESUME_CANARY, Action.END_WATCH)  # moves that keep the stage
ATTEMPTS = 1000  # each lost attempt is another writer's success, so this many mean a broken store


class Registry:
    """The versions of `model` in the registry folder `root`. Without a folder there are none; the first registration creates it.

    Every method raises `Corrupt`, naming the position in the log, if the log differs from what was written.

    Raises:
        BadInput: `model` is not a valid name, or the registry has form 1, without model names.
    """

    def __init__(self, root: Path, model: str) -> None:
        refuse_old_form(root)
        self.model, self.root = check_name(model), root
        self.folder = root / model
        self._log = Log(FolderLog(self.folder / "log"))
        self._versions = self.folder / "versions"

    def log(self) -> list[Entry]:
        """Return every change, oldest first."""
        entries = self._log.read()
        for entry in entries:
            if entry.statement.model != self.model:
                where = f"{self.folder}: log entry {entry.index}"
                raise Corrupt(
                    f"the entry belongs to the model {entry.statement.model}", where=where, remedy="restore the log from a backup"
                )
        return entries

    def versions(self) -> list[Version]:
        """Return all versions, by number."""
        return [self._version(record) for record in self.state().records]

    def version(self, number: int) -> Version:
        """Return one version.

        Raises:
            NoSuchVersion: no version has this number.
        """
        return self._version(self.state().record(number))

    def champion(self) -> Version | None:
        """Return the version in service, None if there is none."""
        state = self.state()
        return self._version(state.record(state.champion)) if state.champion else None

    def pinned_champion(self, digest: str) -> Version | None:
        """Return the champion of a run, None if there is none. Its files are not verified.

        Args:
            digest: digest of the version's manifest at the submission of the run; `none` for no champion; '' to read the champion now.

        Raises:
            BadInput: no version has this digest, or the log names no champion but the folder has versions that the log does not name.
            Corrupt: the log was changed.
        """
        if digest == NO_CHAMPION:
            return None
        if not digest:
            champion = self.champion()
            if champion is None and self.unregistered_folders():
                raise BadInput(
                    "the log records no champion, but the registry has versions that the log does not record",
                    where=str(self.folder),
                    remedy="restore the log from a backup",
                )
            return champion
        version = next((candidate for candidate in self.versions() if candidate.digest == digest), None)
        if version is None:
            raise BadInput(f"no version has the digest {digest[:12]}", where=str(self.folder), remedy="submit the run again")
        return version

    def released(self) -> Version:
        """Return the version in service.

        Raises:
            BadInput: there is none. The error names the command for the versions that are there.
        """
        if champion := self.champion():
            return champion
        where, versions = f"{self.root}: model {self.model}", self.versions()
        if not versions:
            raise BadInput("no champion yet", where=where, remedy=f"to train one: {command('run')}")
        latest = versions[-1]
        raise BadInput(
            f"no version is the champion; the latest is {latest.number} ({latest.stage})", where=where,
            remedy=f"to see why: {command(f'registry show {latest.number} --model {self.model}')}",
        )  # fmt: skip

    def canary(self) -> Version | None:
        """Return the version that is tested next to the champion, None if there is none."""
        state = self.state()
        return self._version(state.record(state.canary)) if state.canary else None

    def verify(self, number: int | None = None) -> list[Version]:
        """Check the log and the files of one version, or of all versions. Return the checked versions (empty for an empty registry).

        Raises:
            Corrupt: the content differs from what was written; the message gives the first difference.
            NoSuchVersion: no version has this number.
        """
        checked = [version for version in self.versions() if not version.purged] if number is None else [self.version(number)]
        for version in checked:
            version.verify()
        return checked

    def unregistered_folders(self) -> list[str]:
        """Return the version folders that are not in the log.

        They come from a killed registration, or from a log that lost its newest entries.
        """
        known = {folder_of(self._versions, record.digest).name for record in self.state().records}
        folders = self._versions.iterdir() if self._versions.is_dir() else ()
        return sorted(path.name for path in folders if not path.name.startswith(".") and path.name not in known)

    def register(
        self,
        files: Mapping[str, Path],
        *,
        metrics: Mapping[str, float | None],
        lineage: Mapping[str, Any],
        decision: Mapping[str, Any],
        stage: Stage | str,
        who: str,
        why: str,
        identity: str = "",
    ) -> Version:
        """Register these files as a version and return it.

        If the content is already registered, return its version; the stage of that version does not change.

        Args:
            files: name in the version → file or folder, copied.
            metrics, lineage, decision: for the manifest.
            stage: candidate or rejected.
            identity: key that identifies the version if not all files count; the manifest's digest by default.

        Raises:
            BadInput: a file is missing or changes during the copy, or `who` or `why` is empty.
            IllegalMove: `stage` is neither candidate nor rejected.
        """
        paths = list_sources(files)
        manifest = Manifest(self.model, digest_sources(paths), finite_metrics(metrics), lineage, decision)
        digest = manifest.digest
        identity = identity or digest

        def decide(state: State) -> Statement | None:
            if state.with_identity(identity):
                return None
            details = {"digest": digest, "identity": identity, "stage": str(stage)}
            return Statement(self.model, Action.REGISTER, len(state.records) + 1, who, why, details)

        state = self.state()
        if statement := decide(state):
            apply(state, statement)  # reject before copying, and copy before logging
            write_version(self._versions, paths, manifest)
            state = self._change(decide)
        record = state.with_identity(identity)
        assert record is not None  # `_change` has registered it, or it existed
        return self._version(record)

    def sources(self) -> tuple[str, ...]:
        """Return the addresses of the corpora that the model is trained on."""
        return self.state().sources

    def check_source(self, source: str, *, same_model: bool) -> None:
        """Check that a corpus belongs to the model. The first corpus does; another address does only if `same_model` is set.

        Raises:
            OtherSource: the model has other corpora.
        """
        sources = self.sources()
        if sources and source not in sources and not same_model:
            raise OtherSource(
                f"this model has been trained on {', '.join(sources)}, not on {source}",
                where=f"model {self.model}",
                remedy="give the new corpus a model of its own with MODEL=name (--model), or confirm with --same-model",
            )

    def add_source(self, source: str, *, who: str, why: str, same_model: bool) -> None:
        """Record that a corpus belongs to the model. It is safe to repeat.

        Raises:
            OtherSource: see `check_source`.
        """

        def decide(state: State) -> Statement | None:
            if source in state.sources:
                return None
            self.check_source(source, same_model=same_model)
            return Statement(self.model, Action.ADD_SOURCE, 0, who, why, {"source": source})

        self._change(decide)

    def start_canary(self, number: int, *, who: str, why: str) -> Version:
        """Start a candidate as canary next to the champion; archive an earlier canary. Raises the same errors as `promote`."""
        return self._move(Action.START_CANARY, number, who, why)

    def promote(
        self, number: int, *, who: str, why: str, watch_share: float = 0.0, evidence: str = "", seen: State | None = None
    ) -> Version:
        """Make a version the champion and archive the previous champion.

        The version must be a canary, the very first candidate, or a former champion (roll-back).

        Args:
            watch_share: share of the users that stay with the former champion until `end_watch`, in [0, 1).
            evidence: SHA-256 of the evidence for the decision, if there is any.
            seen: the state that the decision is based on; by default the state at the first reading.

        Raises:
            IllegalMove: the stage of the version does not allow it.
            Conflict: another change came first; check the log again.
            NoSuchVersion: no version has this number.
        """
        watch = {"watch_share": float(watch_share)} if watch_share else {}
        return self._move(Action.PROMOTE, number, who, why, watch | _evidence(evidence), seen)

    def set_share(
        self, number: int, step: int, share: float, *, who: str, why: str, evidence: str = "", seen: State | None = None
    ) -> Version:
        """Go to a step of the canary's ramp. Arguments and errors as in `promote`.

        Args:
            step: index of the step in the policy, greater than the present one.
            share: share of the users that the canary serves from now on, in (0, 1).

        Raises:
            IllegalMove: also if the canary is held, or the former champion is still watched.
        """
        details = {"step": step, "share": float(share), "evidence": evidence}
        return self._move(Action.SET_SHARE, number, who, why, details, seen)

    def hold_canary(self, number: int, *, who: str, why: str, evidence: str = "", seen: State | None = None) -> Version:
        """Keep the canary at its share until `resume_canary`. Arguments and errors as in `promote`."""
        return self._move(Action.HOLD_CANARY, number, who, why, _evidence(evidence), seen)

    def resume_canary(self, number: int, *, who: str, why: str, evidence: str = "", seen: State | None = None) -> Version:
        """Let the ramp of a held canary go on. Arguments and errors as in `promote`."""
        return self._move(Action.RESUME_CANARY, number, who, why, _evidence(evidence), seen)

    def end_watch(self, number: int, *, who: str, why: str, evidence: str = "", seen: State | None = None) -> Version:
        """Give all users to the champion `number`. Arguments and errors as in `promote`."""
        return self._move(Action.END_WATCH, number, who, why, _evidence(evidence), seen)

    def archive(self, number: int, *, who: str, why: str) -> Version:
        """Take a version out of service without a verdict. Raises the same errors as `promote`."""
        return self._move(Action.ARCHIVE, number, who, why)

    def reject(self, number: int, *, who: str, why: str, evidence: str = "", seen: State | None = None) -> Version:
        """Take a candidate or a canary out of service for good. Arguments and errors as in `promote`."""
        return self._move(Action.REJECT, number, who, why, _evidence(evidence), seen)

    def override(self, number: int, *, who: str, why: str) -> Version:
        """Turn a rejected version into a candidate, against the gates; `who` takes responsibility (EVAL-6).

        Raises the same errors as `promote`.
        """
        return self._move(Action.OVERRIDE, number, who, why)

    def purge(self, number: int, *, who: str, why: str) -> int:
        """Remove the files of an archived or rejected version; its entries stay in the log. Return the freed bytes.

        The champion, the canary and the version that a roll-back would return to are kept. It is safe to repeat after a kill.

        Raises:
            IllegalMove: the stage of the version does not allow it, or a roll-back needs it.
            Conflict, NoSuchVersion: see `promote`.
        """
        if not self.version(number).purged:
            self._move(Action.PURGE, number, who, why)
        state = self.state()
        kept = {record.digest for record in state.records if not record.purged}
        digest = state.record(number).digest
        return 0 if digest in kept else remove_folder(folder_of(self._versions, digest))

    def overrides(self, number: int) -> list[Statement]:
        """Return the overrides of a version, oldest first."""
        statements = (entry.statement for entry in self.log())
        return [statement for statement in statements if statement.version == number and statement.action == Action.OVERRIDE]

    def registered_on(self, number: int) -> str:
        """Return the date of the registration of a version (UTC, `2026-01-02`)."""
        statements = (entry.statement for entry in self._log.read())
        return next(s.time[:10] for s in statements if s.version == number and s.action == Action.REGISTER)

    def state(self) -> State:
        """Return the state that the log describes."""
        return fold(self.log())

    def _version(self, record: Record) -> Version:
        return Version(
            self.model, record.number, record.digest, record.stage, record.why, folder_of(self._versions, record.digest), record.purged
        )

    def _change(self, decide: Callable[[State], Statement | None]) -> State:
        """Read, decide, append; repeat if another writer took the index. Return the resulting state."""
        for _ in range(ATTEMPTS):
            entries = self.log()
            state = fold(entries)
            statement = decide(state)
            if statement is None:
                return state
            after = apply(state, statement)
            try:
                self._log.append(statement, len(entries) + 1)
            except Lost:
                continue
            return after
        raise Conflict(f"other writers took the next log entry {ATTEMPTS} times in succession", where=str(self.folder), remedy="run again")

    def _move(
        self, action: Action, number: int, who: str, why: str, details: Mapping[str, Any] | None = None, seen: State | None = None
    ) -> Version:
        first = None if seen is None else _basis(seen, action, number)

        def decide(state: State) -> Statement:
            nonlocal first
            basis = _basis(state, action, number)
            first = basis if first is None else first
            if basis != first:
                what = f"another change came before {action.replace('_', '-')} of version {number}"
                raise Conflict(what, where=str(self.folder), remedy="read the log of the registry and decide again")
            return Statement(self.model, action, number, who, why, dict(details or {}))

        return self._version(self._change(decide).record(number))


def _basis(state: State, action: Action, number: int) -> tuple[object, ...]:
    """Return the part of the state that a decision depends on: archiving a candidate does not depend on the champion."""
    basis: tuple[object, ...] = (state.record(number).stage,)
    if action in (Action.PROMOTE, Action.START_CANARY):
        basis += (state.champion, state.canary)
    if action in EXPOSING or state.canary == number:
        basis += (state.champion, state.canary_since, state.canary_step, state.canary_held, state.watch)
    return basis


def _evidence(digest: str) -> dict[str, Any]:
    return {"evidence": digest} if digest else {}
