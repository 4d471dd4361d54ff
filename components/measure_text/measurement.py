"""What is found of a table of continuations: measures of both sides, and what to know of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from components.measure_text.measure import Measure


@dataclass
class Measurement:
    """What was measured.

    Args:
        model, human: metric → measure, the same names; None for what cannot be measured.
        champion, difference: the same of the champion's texts after the same prompts, and the model's less the champion's; some metrics
            alone, and none where there is no champion.
        missing: what cannot be measured, and why; `notes` say what else a reader of the numbers should know.
        personal_data: kind → how often it was found in the model's texts, and how often it is from the training text.
        private: rows of the model with personal data, which nobody quotes.
        not_looked_for: how many different findings of scrubbing were too little of a name to be looked for.
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
        """Take what was measured on both sides."""
        self.model |= model
        self.human |= human

    def compare(self, name: str, champion: Measure) -> None:
        """Set a measure of the model beside the champion's, of the same places."""
        if own := self.model[name]:
            self.champion[name], self.difference[name] = champion, own.less(champion)

    def leave_out(self, names: Sequence[str], why: str) -> None:
        """Say what has no value."""
        self.model |= dict.fromkeys(names)
        self.human |= dict.fromkeys(names)
        self.missing.append(f"{', '.join(names)}: not measured, {why}")
