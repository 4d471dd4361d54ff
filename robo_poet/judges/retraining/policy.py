"""The policy of retraining: which causes may start a training run, who approves it, and what the runs may cost (MON-4)."""

import math
from dataclasses import dataclass
from typing import Literal

Mode = Literal["off", "ask", "automatic"]
CAUSES = ("the world changed", "a new group of users", "broken or hostile input", "the model itself", "unknown")


@dataclass(frozen=True)
class RetrainingPolicy:
    """When an alert starts a training run.

    A cause in neither `causes` nor `refused_causes` waits for a person, whatever `enabled` is: a new training does not repair a model
    server, and nobody knows what an unknown cause needs.

    Args:
        enabled: `off` refuses every alert, `ask` waits for a person, `automatic` starts at once.
        cool_down_hours: time between the end of a run and the next run for another cause, in hours.
        budget_hours: hours of all runs that start in a calendar month (UTC).
        run_hours: expected hours of a run.
        attempts: runs for one cause, if the earlier ones failed. After that, a person can approve the request again.
        retry_minutes: time before the second attempt, in minutes. It doubles with each further attempt.
        causes: causes that a training run can repair.
        refused_causes: causes that a training run would make worse.

    Raises:
        ValueError: a value is out of range, or two values contradict each other.
    """

    enabled: Mode = "ask"
    cool_down_hours: float = 168.0
    budget_hours: float = 24.0
    run_hours: float = 2.0
    attempts: int = 5
    retry_minutes: float = 30.0
    causes: tuple[str, ...] = ("the world changed", "a new group of users")
    refused_causes: tuple[str, ...] = ("broken or hostile input",)

    def __post_init__(self) -> None:
        if self.enabled not in ("off", "ask", "automatic"):
            raise ValueError(f"enabled: {self.enabled}: give off, ask or automatic")
        for name in ("cool_down_hours", "budget_hours", "run_hours", "retry_minutes"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: {value}: give a number from 0")
        if self.attempts < 1:
            raise ValueError(f"attempts: {self.attempts}: give at least 1")
        if self.run_hours > self.budget_hours:
            raise ValueError(f"budget_hours: {self.budget_hours:g}: a run needs {self.run_hours:g} h (run_hours), so none would start")
        if both := sorted(set(self.causes) & set(self.refused_causes)):
            raise ValueError(f"causes: {both[0]}: it is in refused_causes as well")

    def retry_seconds(self, failed: int) -> float:
        """Return the time between the end of the last of so many failed attempts and the next attempt, in seconds."""
        return 60 * self.retry_minutes * float(2 ** min(failed - 1, 16))
