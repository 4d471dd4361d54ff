"""Section `monitoring` of a profile: how live traffic is compared with the baseline of its version (MON-2, MON-4)."""

from pydantic import Field, model_validator

from robo_poet.judges.drift.policy import DriftPolicy
from robo_poet.settings.base import Settings
from robo_poet.settings.retraining import RetrainingSettings


class DriftSettings(Settings):
    """Section `monitoring.drift`: when a rise of the live perplexity is a drift."""

    rise: float = Field(DriftPolicy.rise, gt=0, le=10, description="relative rise of the live perplexity that a drift reaches once")
    proven_rise: float = Field(
        DriftPolicy.proven_rise, ge=0, le=10, description="value that the lower bound of the rise exceeds in each of the windows"
    )
    level: float = Field(DriftPolicy.level, gt=0, lt=0.5, description="error probability of this bound in one window")
    windows: int = Field(DriftPolicy.windows, ge=1, le=30, description="consecutive windows that a drift needs")
    window_seconds: float = Field(
        86_400,
        ge=10,
        le=7 * 86_400,
        description="length of a window in seconds; 86,400 is a day (UTC), so that day and night are not drift",
    )
    min_users: int = Field(DriftPolicy.min_users, ge=2, description="users with a score that a window and the baseline need")
    max_unscored: float = Field(DriftPolicy.max_unscored, ge=0, lt=1, description="largest share of requests without a score")
    model_rise: float = Field(
        DriftPolicy.model_rise, gt=0, le=10, description="relative rise of the perplexity of held-out text that shows a fault of the model"
    )
    quota: int = Field(20, ge=1, le=10_000, description="prompts of a user that count in a window")
    baseline_windows: int = Field(7, ge=1, le=90, description="windows after the start of a version that make its baseline")

    @model_validator(mode="after")
    def _check_rises(self) -> "DriftSettings":
        if self.proven_rise > self.rise:
            raise ValueError(f"proven_rise is {self.proven_rise:g}, and rise only {self.rise:g}; set rise to at least {self.proven_rise:g}")
        return self

    def policy(self) -> DriftPolicy:
        """Return the policy of the drift judge."""
        return DriftPolicy(
            rise=self.rise, proven_rise=self.proven_rise, level=self.level, windows=self.windows, min_users=self.min_users,
            max_unscored=self.max_unscored, model_rise=self.model_rise,
        )  # fmt: skip


class MonitoringSettings(Settings):
    """Section `monitoring` of a profile."""

    host: str = Field("127.0.0.1", description="address of the watcher's metrics; `0.0.0.0` lets other machines read them")
    port: int = Field(9464, ge=0, le=65535, description="port of the watcher's metrics; 0 takes a free one")
    alertmanager: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+\S*)?$",
        description="address of Alertmanager, to which the drift watch pipeline sends a drift; empty: none",
    )
    drift: DriftSettings = DriftSettings()
    retraining: RetrainingSettings = RetrainingSettings()
