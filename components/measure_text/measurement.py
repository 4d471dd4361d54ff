"""What is found of a table of continuations: measures of both sides, and what to know of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from components.measure_text.measure import Measure


@dataclass
class Measurement:
    """What was measured.

    Args:
        model, human: metric → measure, the same names; None for what cannot be measured.
        missing: what cannot be measured, and why; `notes` say what else a reader of the numbers should know.
        personal_data: kind → how often it was found in the model's texts, and how often it stands in the training text.
    """

    model: dict[str, Measure | None] = field(default_factory=dict)
    human: dict[str, Measure | None] = field(default_factory=dict)
    personal_data: dict[str, dict[str, int]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, model: dict[str, Measure], human: dict[str, Measure]) -> None:
        """Take what was measured on both sides."""
        self.model |= model
        self.human |= human

    def leave_out(self, names: Sequence[str], why: str) -> None:
        """Say what has no value."""
        self.model |= dict.fromkeys(names)
        self.human |= dict.fromkeys(names)
        self.missing.append(f"{', '.join(names)}: not measured, {why}")
