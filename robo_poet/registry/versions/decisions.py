"""The decisions of the gates about a version, oldest first (EVAL-6, REG-1).

The first decision is in the version's manifest. Each later one is a file below `<model>/decisions/`, named by its SHA-256. A signed entry
of the log (`judge_again`) has this name, the verdict and the reason. So a version's folder and attestation never change. The file is
written before the entry: a kill leaves at most a file without an entry.

The log does not contain the decisions themselves, because every program reads and checks the whole log.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_poet.atomic import make_folder, write_text
from robo_poet.digest import digest_bytes
from robo_poet.registry.log.entry import Corrupt, Statement, canonical
from robo_poet.registry.state.record import Stage
from robo_poet.registry.versions.remote import Remote
from robo_poet.registry.versions.version import finite_metrics


@dataclass(frozen=True)
class Judged:
    """One decision, as the log records it.

    Args:
        verdict: `accepted` or `rejected`.
        profile: name of the profile that set the gates; empty if it is not known.
        decision: SHA-256 of the decision; empty for the first one.
    """

    verdict: str
    time: str
    who: str
    why: str
    profile: str = ""
    decision: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the decision as a JSON object."""
        return dict(vars(self))

    @property
    def text(self) -> str:
        """Return the decision in words."""
        by = f" by the gates of {self.profile}" if self.profile else ""
        return f"{self.verdict}{by} on {self.time[:10]} ({self.why})"


def judged(statement: Statement, verdict: str) -> Judged:
    """Return the decision that an entry of the log records."""
    details = statement.details
    return Judged(verdict, statement.time, statement.who, statement.why, str(details.get("profile", "")), str(details.get("decision", "")))


def stage_for(decision: Mapping[str, Any]) -> tuple[Stage, str]:
    """Return the stage of a decision, and the reason. A candidate needs the verdict "accepted", and each gate passed or open."""
    gates = decision.get("gates")
    gate_objects = [gate if isinstance(gate, dict) else {} for gate in gates] if isinstance(gates, list) else []
    if decision.get("verdict") == "accepted" and gate_objects and all(gate.get("verdict") in ("pass", "open") for gate in gate_objects):
        passed, open_gates = (
            ", ".join(str(gate.get("metric")) for gate in gate_objects if gate["verdict"] == verdict) for verdict in ("pass", "open")
        )
        if open_gates:
            return Stage.CANDIDATE, f"no gate failed; open: {open_gates}; passed: {passed or 'none'}"
        return Stage.CANDIDATE, f"passed all gates: {passed}"
    if decision.get("verdict") == "accepted":
        return Stage.REJECTED, "the verdict is accepted, but not all gates passed"
    return Stage.REJECTED, str(decision.get("reason") or "the verdict is not accepted, and no reason is given")


def plain(value: Any) -> Any:
    """Return a JSON value with whole floats as integers (42.0 → 42), and None for NaN and infinity.

    Kubeflow passes integers as floats, and what is stored must not depend on where its run took place.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return None if not math.isfinite(value) else int(value) if value.is_integer() else value
    return value


def document(decision: Mapping[str, Any], metrics: Mapping[str, float | None]) -> dict[str, Any]:
    """Return a decision with the metrics that were judged, as they are stored."""
    return {**plain(decision), "metrics": finite_metrics(metrics)}


class Decisions:
    """The files of the later decisions about a model's versions.

    Args:
        remote: the bucket that has the files, if `folder` is its cache.
    """

    def __init__(self, folder: Path, remote: Remote | None = None) -> None:
        self._folder, self._remote = folder, remote

    def path(self, sha256: str) -> Path:
        """Return the file of a decision."""
        return self._folder / f"{sha256}.json"

    def name(self, decision: Mapping[str, Any]) -> str:
        """Return the SHA-256 that names a decision."""
        return digest_bytes(canonical(decision))

    def write(self, decision: Mapping[str, Any]) -> str:
        """Store a decision and return its SHA-256. It is safe to repeat."""
        sha256 = self.name(decision)
        if self._remote:
            self._remote.store_file(f"decisions/{sha256}.json", canonical(decision))
            return sha256
        make_folder(self._folder)
        write_text(self.path(sha256), canonical(decision).decode(), durable=True, mode=0o444)
        return sha256

    def read(self, sha256: str, *, again: bool = False) -> dict[str, Any]:
        """Return a decision.

        Args:
            again: read it from the bucket, also if the cache has it.

        Raises:
            Corrupt: the file is missing or was changed.
        """
        path, remedy = self.path(sha256), "restore this file from a backup"
        if self._remote:
            self._remote.fetch_file(f"decisions/{sha256}.json", sha256, again=again)
        try:
            data = path.read_bytes()
        except OSError:
            raise Corrupt("the decision is missing", where=str(path), remedy=remedy) from None
        if digest_bytes(data) != sha256:
            raise Corrupt("the decision was changed", where=str(path), remedy=remedy)
        value: dict[str, Any] = json.loads(data)
        return value
