"""The policy of the drift judge (MON-2, MON-4)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DriftPolicy:
    """When a rise of the live perplexity is a drift.

    Args:
        rise: the estimate must reach this relative rise in one of the windows.
        proven_rise: the lower bound of the rise must be above this value in all of the windows.
        level: error probability of the lower bound, one-sided.
        windows: number of consecutive windows.
        min_users: users that a window needs, and that the baseline needs.
        max_unscored: largest share of prompts without a score.
        model_rise: relative rise of the perplexity of held-out text from which the model itself is the cause.

    Raises:
        ValueError: a value is out of range.
    """

    rise: float = 0.20
    proven_rise: float = 0.10
    level: float = 0.01
    windows: int = 2
    min_users: int = 100
    max_unscored: float = 0.2
    model_rise: float = 0.02

    def __post_init__(self) -> None:
        if not 0 <= self.proven_rise <= self.rise:
            raise ValueError(f"rise {self.rise} is smaller than proven_rise {self.proven_rise}, or one is negative")
        if not 0 < self.level < 0.5:
            raise ValueError(f"level {self.level} is not between 0 and 0.5")
        if self.windows < 1 or self.min_users < 2:
            raise ValueError("windows is at least 1 and min_users at least 2")
        if not (0 <= self.max_unscored < 1 and self.model_rise > 0):
            raise ValueError("max_unscored is from 0 to below 1, and model_rise is above 0")
