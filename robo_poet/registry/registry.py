"""The registry of model versions: the one place that says which model is champion, which is canary, and why (REG-1, REG-2).

A folder `log/` that is the state and a folder `versions/` of immutable contents; no lock, no second file. Every change is a decision on
the state that was read, appended at the index that follows it. Whoever loses that index reads and decides again.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from robo_poet.registry.entry import Entry, Statement
from robo_poet.registry.errors import Conflict, Lost
from robo_poet.registry.folder_log import FolderLog
from robo_poet.registry.log import Log
from robo_poet.registry.manifest import Manifest, digests, finite, sources
from robo_poet.registry.state import Action, Record, Stage, State, apply, fold
from robo_poet.registry.version import Version, folder_of, write_version

ATTEMPTS = 1000  # each lost one is another writer's success, so this many only say that a store is broken


class Registry:
    """A registry in the folder `root`, which need not exist: then it is empty, and the first registration makes it.

    Every method raises `Corrupt`, naming the place, if the log is not what was written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._log = Log(FolderLog(root / "log"))
        self._versions = root / "versions"

    def log(self) -> list[Entry]:
        """Every change ever made, oldest first."""
        return self._log.read()

    def versions(self) -> list[Version]:
        """All versions, by number."""
        return [self._version(record) for record in self._state().records]

    def version(self, number: int) -> Version:
        """One version.

        Raises:
            NoSuchVersion: there is none of this number.
        """
        return self._version(self._state().record(number))

    def champion(self) -> Version | None:
        """The version that serves."""
        state = self._state()
        return self._version(state.record(state.champion)) if state.champion else None

    def canary(self) -> Version | None:
        """The version that is tried beside the champion."""
        state = self._state()
        return self._version(state.record(state.canary)) if state.canary else None

    def verify(self, number: int | None = None) -> list[Version]:
        """Check the log, and the files of one version or of all; returns the versions checked, none for an empty registry.

        Raises:
            Corrupt: something is not what was written; names the first such thing.
            NoSuchVersion: there is none of this number.
        """
        checked = self.versions() if number is None else [self.version(number)]
        for version in checked:
            version.verify()
        return checked

    def strays(self) -> list[str]:
        """Version folders that the log does not know: of a registration that was killed, or of a log that lost its end."""
        known = {folder_of(self._versions, record.digest).name for record in self._state().records}
        found = self._versions.iterdir() if self._versions.is_dir() else ()
        return sorted(path.name for path in found if not path.name.startswith(".") and path.name not in known)

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
        """Make a version of these files; the same content, registered again, is the same version, whatever its stage has become.

        Args:
            files: name in the version → file or folder, copied.
            metrics, lineage, decision: for the manifest.
            stage: candidate or rejected.
            identity: what makes it the same version, where that is less than all its files; the manifest's digest by default.

        Raises:
            BadInput: a file is missing or changes while it is copied, or `who` or `why` is empty.
            IllegalMove: any other stage.
        """
        found = sources(files)
        manifest = Manifest(digests(found), finite(metrics), lineage, decision)
        digest = manifest.digest
        identity = identity or digest

        def decide(state: State) -> Statement | None:
            if state.with_identity(identity):
                return None
            details = {"digest": digest, "identity": identity, "stage": str(stage)}
            return Statement(Action.REGISTER, len(state.records) + 1, who, why, details)

        state = self._state()
        if statement := decide(state):
            apply(state, statement)  # refuse before copying, and copy before promising
            write_version(self._versions, found, manifest)
            state = self._change(decide)
        record = state.with_identity(identity)
        assert record is not None  # decided so above
        return self._version(record)

    def start_canary(self, number: int, *, who: str, why: str) -> Version:
        """Try a candidate beside the champion; an earlier canary is archived. Raises as `promote` does."""
        return self._move(Action.START_CANARY, number, who, why)

    def promote(self, number: int, *, who: str, why: str) -> Version:
        """Make a version champion and archive the one before: a canary, the very first candidate, or a former champion (roll-back).

        Raises:
            IllegalMove: the version's stage does not allow it.
            Conflict: another's move came first; look again.
            NoSuchVersion: there is none of this number.
        """
        return self._move(Action.PROMOTE, number, who, why)

    def archive(self, number: int, *, who: str, why: str) -> Version:
        """Take a version out of service without a verdict on it. Raises as `promote` does."""
        return self._move(Action.ARCHIVE, number, who, why)

    def reject(self, number: int, *, who: str, why: str) -> Version:
        """Take a candidate or a canary out of service for good, with the reason. Raises as `promote` does."""
        return self._move(Action.REJECT, number, who, why)

    def override(self, number: int, *, who: str, why: str) -> Version:
        """Make a candidate of a rejected version, against the gates' verdict: `who` answers for it (EVAL-6). Raises as `promote` does."""
        return self._move(Action.OVERRIDE, number, who, why)

    def overrides(self, number: int) -> list[Statement]:
        """Who set the gates' verdict on a version aside, and why, oldest first."""
        said = (entry.statement for entry in self._log.read())
        return [one for one in said if one.version == number and one.action == Action.OVERRIDE]

    def _state(self) -> State:
        return fold(self._log.read())

    def _version(self, record: Record) -> Version:
        return Version(record.number, record.digest, record.stage, record.why, folder_of(self._versions, record.digest))

    def _change(self, decide: Callable[[State], Statement | None]) -> State:
        """Read, decide, append; again when somebody else was faster. Returns the state that holds then."""
        for _ in range(ATTEMPTS):
            entries = self._log.read()
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
        raise Conflict(f"others were faster {ATTEMPTS} times", where=str(self.root), remedy="run again")

    def _move(self, action: Action, number: int, who: str, why: str) -> Version:
        seen: list[tuple[Stage | int | None, ...]] = []

        def decide(state: State) -> Statement:
            # Only what the decision rests on: archiving one version does not care which one is champion.
            now: tuple[Stage | int | None, ...] = (state.record(number).stage,)
            if action in (Action.PROMOTE, Action.START_CANARY):
                now += (state.champion, state.canary)
            seen.append(now)
            if now != seen[0]:
                what = f"the registry changed while version {number} was to {action.replace('_', '-')}"
                raise Conflict(what, where=str(self.root), remedy="look at its log and decide again")
            return Statement(action, number, who, why)

        return self._version(self._change(decide).record(number))
