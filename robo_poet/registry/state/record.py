"""One version in the state of the registry: its stage, and what its gates decided last (REG-1, EVAL-6).

A version is judged by the gates at its registration, and perhaps again later: under other gates, or with other measurements. Each decision
is an entry of the log. It changes the stage only if no person and no user has decided about the version:

| stage | accepted now | rejected now |
|---|---|---|
| rejected by the gates | candidate | rejected, with the new reason |
| rejected by a person or the canary judge | stays: users were harmed, and gates do not measure that | stays |
| candidate, canary | stays | rejected; a canary loses its users |
| champion, archived | stays | stays: a person or the canary judge decides. `contested` says so |
| overridden, in any stage | stays | stays: a named person took the responsibility. `contested` says so |
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from robo_poet.registry.log.entry import IllegalMove, Statement, is_digest


class Stage(StrEnum):
    """The stage of a version. At most one version is canary, and at most one is champion."""

    CANDIDATE = "candidate"
    CANARY = "canary"
    CHAMPION = "champion"
    ARCHIVED = "archived"
    REJECTED = "rejected"


ACCEPTED, REJECTED = "accepted", "rejected"  # verdicts of the gates


@dataclass(frozen=True)
class Record:
    """One version in the state.

    Args:
        digest: SHA-256 of its manifest.
        identity: key of the version. Registering the same identity again returns the same version.
        why: the reason of its last change of stage.
        was_champion: it is or was champion.
        attestation: SHA-256 of its attestation; empty if a registry without signatures was not taken over.
        purged: its files were removed; its entries stay in the log.
        verdict: the verdict of the latest decision of the gates, `accepted` or `rejected`.
        verdict_why: the reason of this verdict.
        decision: SHA-256 of the latest decision (`robo_poet.registry.versions.decisions`); empty if it is the first one, in the manifest.
        decisions: number of decisions.
        overridden: a person has overridden a rejection of this version. It stays true.
        barred: a person or the canary judge has rejected it; only an override makes it a candidate again.
    """

    number: int
    digest: str
    identity: str
    stage: Stage
    why: str
    was_champion: bool = False
    purged: bool = False
    attestation: str = ""
    verdict: str = ""
    verdict_why: str = ""
    decision: str = ""
    decisions: int = 1
    overridden: bool = False
    barred: bool = False

    @property
    def contested(self) -> bool:
        """True if the latest decision of the gates rejects the version, but its stage is another one."""
        return self.verdict == REJECTED and self.stage is not Stage.REJECTED

    def notes(self) -> list[str]:
        """Return what a reader has to know about the decisions, besides the stage; one line each."""
        notes = ["overridden: a person took the responsibility against the gates, see its history"] if self.overridden else []
        if self.contested:
            notes.append(f"contested: the latest decision of the gates rejects it ({self.verdict_why}), but it stays {self.stage}")
        if self.barred and self.verdict == ACCEPTED:
            notes.append("the gates accept it, but a person or the canary judge rejected it; only an override makes it a candidate")
        return notes


def judged_again(record: Record, statement: Statement) -> Record:
    """Return the version after a further decision of the gates; see the table above.

    Args:
        statement: its details have `verdict` and `decision`, as in `Record`.

    Raises:
        IllegalMove: the verdict is unknown, or the decision is no SHA-256.
    """
    verdict, decision, why = statement.details.get("verdict"), statement.details.get("decision"), statement.why
    if verdict not in (ACCEPTED, REJECTED):
        raise IllegalMove(f"a verdict is {ACCEPTED} or {REJECTED}, not {verdict!r}")
    if not isinstance(decision, str) or not is_digest(decision):
        raise IllegalMove(f"a decision is named by its SHA-256, not by {decision!r}")
    judged = replace(record, verdict=str(verdict), verdict_why=why, decision=decision, decisions=record.decisions + 1)
    match record.stage:
        case Stage.REJECTED if not record.barred:
            return replace(judged, stage=Stage.CANDIDATE if verdict == ACCEPTED else Stage.REJECTED, why=why)
        case Stage.CANDIDATE if not record.overridden:
            return replace(judged, stage=Stage.CANDIDATE if verdict == ACCEPTED else Stage.REJECTED, why=why)
        case Stage.CANARY if not record.overridden and verdict == REJECTED:
            return replace(judged, stage=Stage.REJECTED, why=why)
    return judged
