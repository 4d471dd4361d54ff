"""How a new model is compared with the champion (EVAL-5)."""

from pydantic import Field

from robo_poet.settings.base import Settings


class CompareSettings(Settings):
    """Section `compare` of a profile."""

    batch: int = Field(32, ge=1, le=1024, description="rows a call of the champion")
    confidence: float = Field(0.95, ge=0.8, le=0.999, description="of the interval of the difference")
