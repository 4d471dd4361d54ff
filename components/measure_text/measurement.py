"""The collected text metrics of a table of continuations."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from components.measure_text.measure import Measure


@dataclass
class Measurement:
    """A mutable collection of metrics of the model, the human references and the champion.

    Args:
        model, human: name → metric, with the same names; None if it could not be measured.
        champion: metrics of the champion's completions of the same prompts; only some names, empty without a champion.
        difference: model minus champion, with the names of `champion`.
        personal_data: kind → number of findings in the model's texts (`found`) and how many are in the training text (`in_training`).
        private: rows of the model with personal data; they are never quoted.
        not_looked_for: number of distinct scrubbing findings that were skipped because they are not full names.
        missing: metrics that could not be measured, with the reason.
        notes: further remarks for the report.
    """

    model: dict[str, Measure | None] = field(default_factory=dict)
    human: dict[str, Measure | None] = field(default_factory=dict)
    champion: dict[str, Measure] = field(default_factory=dict)
    difference: dict[str, Measure] = field(default_factory=dict)
    personal_data: dict[str, dict[str, int]] = field(default_factory=dict)
    private: frozenset[int] = frozenset()
    not_looked_for: int = 0
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, model: dict[str, Measure], human: dict[str, Measure]) -> None:
        """Add metrics of the model and of the human references."""
        self.model |= model
        self.human |= human

    def compare(self, name: str, champion: Measure) -> None:
        """Add the champion's value of a metric and the difference from the model. The model's metric must be added first."""
        if own := self.model[name]:
            self.champion[name], self.difference[name] = champion, own.less(champion)

    def leave_out(self, names: Sequence[str], why: str) -> None:
        """Set metrics to None and record the reason."""
        self.model |= dict.fromkeys(names)
        self.human |= dict.fromkeys(names)
        self.missing.append(f"{', '.join(names)}: not measured, {why}")
