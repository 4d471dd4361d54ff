"""Findings: what is wrong with a corpus, in words, with the documents concerned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from components.validate_data.checks import VERDICT, Check
from components.validate_data.drift import Distance
from components.validate_data.schema import Violations
from robo_poet.display import quotable_name
from robo_poet.settings.data import Outside

IN_A_WARNING = 3  # documents named in a warning; the page names more
NAMES = {"drift": "drift of", "skew": "skew of prompts in"}
Verdict = Literal["ok", "few", "ignored", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """A violation of a rule, or a check.

    Args:
        kind: `schema`, `limit`, `drift` or `skew`.
        what: the violation in words.
        ids: documents concerned, at most a handful; empty if the finding is about the corpus as a whole.
        documents: number of documents concerned; None if it is not known.
        meaning: what it means, and what the user can do; may be empty.
    """

    kind: Literal["schema", "limit", "drift", "skew"]
    what: str
    verdict: Verdict
    ids: tuple[str, ...] = ()
    documents: int | None = None
    meaning: str = ""

    def __str__(self) -> str:
        return f"{self._located()}: {self.meaning}" if self.meaning else self._located()

    def _located(self) -> str:
        if not self.ids:
            return self.what
        named = ", ".join(quotable_name(id_, "a document whose name cannot be shown") for id_ in self.ids[:IN_A_WARNING])
        if self.documents is None:
            return f"{self.what} (such as {named})"
        more = f" and {self.documents - IN_A_WARNING:,} more" if self.documents > IN_A_WARNING else ""
        return f"{self.what} ({named}{more})"


def anomaly_findings(violations: Sequence[Mapping[str, str]], found: Mapping[str, Violations], outside: Outside) -> list[Finding]:
    """Return TFDV's anomalies with the documents that violate a rule on this feature."""
    findings = []
    for violation in violations:
        named = found.get(violation["feature"], Violations())
        what = f"{violation['feature']}: {violation['what']}"
        findings.append(Finding("schema", what, VERDICT[outside], tuple(named.ids), named.documents or None))
    return findings


def check_finding(check: Check, ids: Sequence[str]) -> Finding:
    """Return a check of a limit; `ids` are documents that contribute most."""
    return Finding("limit", str(check), check.verdict, tuple(ids), meaning=check.meaning)


def distance_finding(row: Distance, ids: Sequence[str] = ()) -> Finding:
    """Return the drift or the skew of a feature; `ids` are documents of the bin that grew most."""
    return Finding(row.kind, f"{NAMES[row.kind]} {row}", row.verdict, tuple(ids))
