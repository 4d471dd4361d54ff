"""The registry of one model's versions. It records which version is champion, which is canary, and why (REG-1, REG-2).

`<registry>/<model>/log/` holds the state, `versions/` the immutable contents, `attestations/` the signed statements about them. There is no
lock. A change is a decision based on the state that was read, appended at the next index. A writer that loses this index reads and decides
again.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from robo_poet.registry.log.entry import Action, Conflict, IllegalMove, Lost, Statement
from robo_poet.registry.reader import NO_CHAMPION, RegistryReader
from robo_poet.registry.state.record import ACCEPTED, REJECTED, Record
from robo_poet.registry.state.state import ENTRANCES, Stage, State, apply, fold
from robo_poet.registry.versions.decisions import document
from robo_poet.registry.versions.version import (
    Manifest,
    Version,
    digest_sources,
    finite_metrics,
    folder_of,
    list_sources,
    remove_folder,
    write_version,
)

__all__ = ["NO_CHAMPION", "Registry"]

EXPOSING = (Action.SET_SHARE, Action.HOLD_CANARY, Action.RESUME_CANARY, Action.END_WATCH)  # moves that keep the stage
ATTEMPTS = 1000  # each lost attempt is another writer's success, so this many mean a broken store


class Registry(RegistryReader):
    """The versions of `model` in the registry `root`, with all changes. The first registration creates a folder, but no bucket.

    A change is signed with the key of `trust`; without one it raises `BadInput`. See `RegistryReader` for arguments and other errors.
    """

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
        former_identities: Sequence[str] = (),
        profile: str = "",
    ) -> Version:
        """Register these files as a version and return it.

        If the content is already registered, return its version. If the decision is another one than the latest about that version, it is
        recorded as a further decision; see `judge_again`.

        Args:
            files: name in the version → file or folder, copied.
            metrics, lineage, decision: for the manifest.
            stage: candidate or rejected.
            identity: key that identifies the version if not all files count; the manifest's digest by default.
            former_identities: identities that earlier releases gave to the same content.
            profile: name of the profile that set the gates, for a further decision.

        Raises:
            BadInput: a file is missing or changes during the copy, or `who` or `why` is empty.
            IllegalMove: `stage` is neither candidate nor rejected.
        """
        paths = list_sources(files)
        manifest = Manifest(self.model, digest_sources(paths), finite_metrics(metrics), lineage, decision)
        digest = manifest.digest
        identity = identity or digest
        judged = document(manifest.decision, manifest.metrics)
        if stage not in ENTRANCES:
            raise IllegalMove(f"a version is registered as {' or '.join(ENTRANCES)}, not as {stage}")

        def decide(state: State, *, attest: bool = True) -> Statement | None:
            if twin := state.with_identity(identity, *former_identities):
                return self._further_decision(twin, judged, ACCEPTED if stage == Stage.CANDIDATE else REJECTED, who, why, profile)
            number = len(state.records) + 1
            attestation = self._attestations.write(number, manifest.to_bytes()) if attest else ""
            details = {"digest": digest, "identity": identity, "stage": str(stage), "attestation": attestation}
            return Statement(self.model, Action.REGISTER, number, who, why, details)

        state = self.state()
        if statement := decide(state, attest=False):
            apply(state, statement)  # reject before copying, and copy before logging
            if statement.action == Action.REGISTER and self._mirror:
                self._mirror.upload(paths, manifest)
            elif statement.action == Action.REGISTER:
                write_version(self._versions, paths, manifest)
            state = self._change(decide)
        record = state.with_identity(identity, *former_identities)
        assert record is not None  # `_change` has registered it, or it existed
        return self._version(record)

    def judge_again(
        self, number: int, decision: Mapping[str, Any], metrics: Mapping[str, float | None], *, verdict: str, who: str, why: str,
        profile: str = "",
    ) -> Version:  # fmt: skip
        """Record a further decision of the gates about a version, and return the version with its new stage; see `state.record`.

        If it is the latest decision already, nothing is recorded. Of several writers each records its decision, and the last one counts.

        Args:
            decision, metrics: as in `register`.
            verdict: `accepted` or `rejected`.
            profile: name of the profile that set the gates; empty if it is not known.

        Raises:
            IllegalMove: the verdict is unknown, or the files of the version were purged.
            NoSuchVersion: no version has this number.
        """
        judged = document(decision, metrics)
        state = self._change(lambda state: self._further_decision(state.record(number), judged, verdict, who, why, profile))
        return self._version(state.record(number))

    def _further_decision(
        self, record: Record, judged: Mapping[str, Any], verdict: str, who: str, why: str, profile: str
    ) -> Statement | None:  # fmt: skip
        """Store a decision, and return the statement about it; None if it is the latest one already."""
        same = self.decision_files.name(judged) == record.decision if record.decision else self._first_decision(record) == judged
        if same and record.verdict == verdict:
            return None
        details = {"verdict": verdict, "decision": self.decision_files.write(judged), "profile": profile}
        return Statement(self.model, Action.JUDGE_AGAIN, record.number, who, why, details)

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

    def set_baseline(self, number: int, baseline: Mapping[str, Any], *, who: str, why: str) -> Version:
        """Record what the live traffic of the champion `number` is compared with: statistics, never texts (MON-3, contract 14).

        A later baseline replaces it. Errors as in `promote`.
        """
        return self._move(Action.SET_BASELINE, number, who, why, {"baseline": dict(baseline)})

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
        if digest in kept:
            return 0
        return self._mirror.remove(digest) if self._mirror else remove_folder(folder_of(self._versions, digest))

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
                self.signed_log.append(statement, len(entries) + 1)
            except Lost:
                continue
            return after
        raise Conflict(f"other writers took the next log entry {ATTEMPTS} times in succession", where=self.address, remedy="run again")

    def _move(
        self, action: Action, number: int, who: str, why: str, details: Mapping[str, Any] | None = None, seen: State | None = None
    ) -> Version:
        first = None if seen is None else _basis(seen, action, number)
        if action in (Action.PROMOTE, Action.START_CANARY):
            apply(self.state(), Statement(self.model, action, number, who, why, dict(details or {})))  # a refusal needs no verification
            self.version(number).verify()  # no user gets bytes that differ from what was registered and signed

        def decide(state: State) -> Statement:
            nonlocal first
            basis = _basis(state, action, number)
            first = basis if first is None else first
            if basis != first:
                what = f"another change came before {action.replace('_', '-')} of version {number}"
                raise Conflict(what, where=self.address, remedy="read the log of the registry and decide again")
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
