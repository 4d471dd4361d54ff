"""Settings of serving metrics, sessions and the audit log (MON-1, SERVE-3)."""

from pydantic import Field

from robo_poet.settings.base import Settings


class TelemetrySettings(Settings):
    """Section `serve.telemetry` of a profile."""

    cost_per_second: float = Field(0.0001, ge=0, description="what a second of generation costs, in your currency; 0.36 an hour by default")
    session_gap_seconds: float = Field(1800, gt=0, le=86_400, description="silence that ends a user's session")
    users: int = Field(
        100_000, ge=1, le=10_000_000, description="users remembered for a day, some 300 bytes each; beyond, the longest silent is forgotten"
    )
    audit: bool = Field(True, description="one line an interaction, without its text")
    audit_queue: int = Field(
        10_000, ge=1, le=1_000_000, description="lines that may wait for a slow disk; beyond, they are counted and lost"
    )
    audit_keep_days: int = Field(90, ge=1, le=3650, description="days an audit file is kept")
