"""The reading part of a model's registry: the log, the state, the versions, and their checks (REG-1, REG-2)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.local_folder import Address, is_bucket, registry_address
from robo_poet.registry.log.entry import Action, Entry, OtherSource, Statement
from robo_poet.registry.log.log import FolderLog
from robo_poet.registry.log.signed_log import SignedLog
from robo_poet.registry.names import check_name, refuse_old_form
from robo_poet.registry.state.record import ACCEPTED, REJECTED, Record, Stage
from robo_poet.registry.state.state import State, fold
from robo_poet.registry.storage.mirror import Mirror
from robo_poet.registry.trust.trust import Trust
from robo_poet.registry.versions.attestation import Attestations
from robo_poet.registry.versions.decisions import Decisions, Judged, document, judged
from robo_poet.registry.versions.version import Version, folder_of

NO_CHAMPION = "none"  # the champion of a run that was submitted without one; no other value means this


class RegistryReader:
    """The versions of `model` in the registry `root`, read only. Without a folder there are none.

    Every method raises `Corrupt`, naming the position in the log, if the log differs from what was written, is not signed by a trusted key,
    or is shorter than it was when it was last read.

    Args:
        root: a folder, or the address of a bucket, `gs://bucket/prefix`.
        trust: trusted keys and remembered heads; by default those of this user.

    Attributes:
        root: the address, as a path for a folder.
        folder: the folder of the model; for a bucket, its cache on this machine.
        address: folder or address of the model, for messages.

    Raises:
        BadInput: `model` is not a valid name, the registry has form 1, without model names, or a bucket cannot be reached. The methods
            also raise it if a bucket cannot be read.
    """

    def __init__(self, root: Address, model: str, trust: Trust | None = None) -> None:
        refuse_old_form(root)
        self.model, self.root = check_name(model), registry_address(root) if is_bucket(root) else Path(root)
        self._mirror = Mirror(str(self.root), model) if is_bucket(root) else None
        self.folder = self._mirror.folder if self._mirror else Path(root) / model
        self.address = self._mirror.address if self._mirror else str(self.folder)
        self.trust = trust or Trust()
        known_as = self._mirror.address if self._mirror else str(self.folder.resolve())
        self.signed_log = SignedLog(self._mirror.log if self._mirror else FolderLog(self.folder / "log"), model, known_as, self.trust)
        self._attestations = Attestations(self.folder / "attestations", model, self.trust, self._mirror)
        self.decision_files = Decisions(self.folder / "decisions", self._mirror)
        self._versions = self.folder / "versions"
        self._folded: tuple[int, Entry | None, State] = 0, None, State()  # number of entries, the last of them, their state

    def log(self) -> list[Entry]:
        """Return every change, oldest first."""
        return self.signed_log.read()

    def state(self) -> State:
        """Return the state that the log describes."""
        entries = self.log()
        count, newest, state = self._folded
        if count > len(entries) or (count and entries[count - 1] is not newest):
            count, state = 0, State()
        state = fold(entries[count:], state)
        if self._mirror and count < len(entries):
            self._mirror.drop({r.digest for r in state.records if r.purged} - {r.digest for r in state.records if not r.purged})
        self._folded = len(entries), entries[-1] if entries else None, state
        return state

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
                    where=self.address,
                    remedy="restore the log from a backup",
                )
            return champion
        version = next((candidate for candidate in self.versions() if candidate.digest == digest), None)
        if version is None:
            raise BadInput(f"no version has the digest {digest[:12]}", where=self.address, remedy="submit the run again")
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
        self.signed_log.read(again=True)
        checked = [version for version in self.versions() if not version.purged] if number is None else [self.version(number)]
        for version in checked:
            version.verify()
        numbers = {version.number for version in checked}
        for statement in (entry.statement for entry in self.log()):
            if statement.action == Action.JUDGE_AGAIN and statement.version in numbers:
                self.decision_files.read(statement.details["decision"], again=True)
        return checked

    def unregistered_folders(self) -> list[str]:
        """Return the version folders that are not in the log.

        They come from a killed registration, or from a log that lost its newest entries.
        """
        known = {folder_of(self._versions, record.digest).name for record in self.state().records}
        if self._mirror:
            names = self._mirror.version_names()
        else:
            names = [path.name for path in self._versions.iterdir()] if self._versions.is_dir() else []
        return sorted(name for name in names if not name.startswith(".") and name not in known)

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
                remedy="give the new corpus its own model with --model NAME (make: MODEL=NAME), or confirm with --same-model "
                "(make: ARGS=--same-model)",
            )

    def overrides(self, number: int) -> list[Statement]:
        """Return the overrides of a version, oldest first."""
        statements = (entry.statement for entry in self.log())
        return [statement for statement in statements if statement.version == number and statement.action == Action.OVERRIDE]

    def decisions(self, number: int) -> list[Judged]:
        """Return the decisions of the gates about a version, oldest first: that of its registration, and all later ones."""
        decisions = []
        for statement in (entry.statement for entry in self.log() if entry.statement.version == number):
            if statement.action == Action.REGISTER:
                decisions.append(judged(statement, ACCEPTED if statement.details.get("stage") == Stage.CANDIDATE else REJECTED))
            elif statement.action == Action.JUDGE_AGAIN:
                decisions.append(judged(statement, str(statement.details["verdict"])))
        return decisions

    def decision(self, number: int) -> dict[str, Any]:
        """Return the latest decision of the gates about a version, with the metrics that were judged (JSON).

        Raises:
            Corrupt: the file of the decision is missing or was changed.
            BadInput: it is the first decision, and the files of the version were purged.
        """
        record = self.state().record(number)
        return self.decision_files.read(record.decision) if record.decision else self._first_decision(record)

    def _first_decision(self, record: Record) -> dict[str, Any]:
        manifest = self._version(record).manifest()
        return document(manifest.decision, manifest.metrics)

    def baseline(self, number: int) -> Mapping[str, Any] | None:
        """Return the latest baseline of a version as `set_baseline` recorded it, None if there is none."""
        statements = (entry.statement for entry in reversed(self.log()))
        return next((s.details["baseline"] for s in statements if s.version == number and s.action == Action.SET_BASELINE), None)

    def registered_on(self, number: int) -> str:
        """Return the date of the registration of a version (UTC, `2026-01-02`)."""
        statements = (entry.statement for entry in self.log())
        return next(s.time[:10] for s in statements if s.version == number and s.action == Action.REGISTER)

    def _version(self, record: Record) -> Version:
        return Version(
            self.model, record.number, record.digest, record.stage, record.why, folder_of(self._versions, record.digest), record.purged,
            record.attestation, self._attestations, self._mirror,
        )  # fmt: skip
