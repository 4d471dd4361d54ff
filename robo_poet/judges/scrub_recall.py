"""Recall and precision of scrubbing, from counts of planted values and findings, and their words (DATA-3)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from robo_poet.judges.estimate import finite
from robo_poet.judges.intervals import clustered_rate


@dataclass
class Count:
    """Planted values and findings of a group, such as a kind; `units` has (covered, planted) of each copy."""

    units: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    findings: int = 0
    right: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return counts, recall with its 95 % interval over copies, precision and F2. A share without a denominator is None."""
        covered, planted = (sum(unit[place] for unit in self.units.values()) for place in (0, 1))
        estimate = clustered_rate([unit[0] for unit in self.units.values()], [unit[1] for unit in self.units.values()])
        recall = covered / planted if planted else None
        precision = self.right / self.findings if self.findings else None
        f2 = 5 * precision * recall / (4 * precision + recall) if precision and recall else None
        return {
            "planted": planted, "covered": covered, "recall": recall, "low": finite(estimate.low), "high": finite(estimate.high),
            "findings": self.findings, "right": self.right, "precision": precision, "f2": f2,
        }  # fmt: skip


def missed(measured: Mapping[str, Any]) -> Iterator[str]:
    """Yield the kinds of which something was missed, with counts: `street address 3 of 41`. The worst is first."""
    kinds = sorted(measured["kind"].items(), key=lambda item: item[1]["recall"] if item[1]["planted"] else 1.0)
    yield from (f"{name} {row['planted'] - row['covered']} of {row['planted']}" for name, row in kinds if row["covered"] < row["planted"])


def recall_sentence(measured: Mapping[str, Any]) -> str:
    """Return the recall in words: `97.7 % of 647 planted values are removed (95 % interval 96.2 to 98.7 %)`."""
    row = measured.get("all", {})
    if not row.get("planted"):
        return "the recall of scrubbing was not measured: the policy of all documents is none" if row else "the recall was not measured"
    return f"{per_cent(row['recall'])} of {row['planted']:,} planted values are removed{interval_text(row, ' (95 % interval ', ')')}"


def per_cent(share: float | None) -> str:
    """Return a share in per cent; empty for None."""
    return "" if share is None else f"{100 * share:.1f} %"


def interval_text(row: Mapping[str, Any], before: str = "", after: str = "") -> str:
    """Return the interval of `Count.as_json` in per cent, between two texts; empty if there is none."""
    return "" if row["low"] is None else f"{before}{100 * row['low']:.1f} to {100 * row['high']:.1f} %{after}"
