"""Where a training stands."""

from dataclasses import asdict, dataclass, field
from typing import Any

from components.train_model.schedule import Schedule


@dataclass
class Progress:
    """With the variables of model and optimizer, all that a checkpoint holds.

    Attributes:
        schedule: learning rate and what decides it.
        history: points of the training curve.
        step: steps done; tokens: targets seen.
        loss_sum, loss_tokens: since the last point of the curve.
        best_step: of the best validation; 0 before the first.
        notes: what callbacks must know after a kill, as JSON.
    """

    schedule: Schedule
    history: list[dict[str, Any]]
    step: int = 0
    tokens: int = 0
    loss_sum: float = 0.0
    loss_tokens: float = 0.0
    best_step: int = 0
    notes: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As a checkpoint keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Progress":
        """From what `to_json` gave."""
        return cls(**{**kept, "schedule": Schedule(**kept["schedule"])})
