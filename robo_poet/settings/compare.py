"""Settings of the comparison with the champion (EVAL-5)."""

from pydantic import Field

from robo_poet.settings.base import Settings


class CompareSettings(Settings):
    """Section `compare` of a profile."""

    batch: int = Field(32, ge=1, le=1024, description="rows a call of the champion")
