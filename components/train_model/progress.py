"""The progress of a training, as a checkpoint stores it."""

from dataclasses import asdict, dataclass, field
from typing import Any

from components.train_model.schedule import Schedule


@dataclass
class Progress:
    """The progress of a training. A checkpoint holds it with the variables of model and optimizer.

    Attributes:
        schedule: state of the learning rate and of early stopping.
        history: points of the training curve.
        step: number of finished steps.
        tokens: number of targets seen.
        loss_sum, loss_tokens: sum of the loss (nats) and number of targets since the last point of the curve.
        best_step: step of the best validation; 0 before the first.
        notes: state of callbacks that must survive a kill, as JSON values.
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
        """Return the form that a checkpoint stores."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Progress":
        """Restore from the result of `to_json`."""
        return cls(**{**kept, "schedule": Schedule(**kept["schedule"])})
