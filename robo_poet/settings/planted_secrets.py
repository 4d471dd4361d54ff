"""Settings of the canary strings planted in the training text to measure memorisation (Carlini et al. 2019)."""

from pydantic import Field, field_validator

from robo_poet.settings.base import Settings


class PlantedSecretsSettings(Settings):
    """Section `audit.secrets` of a profile. The training step and the audit step read the same values."""

    rates: tuple[int, ...] = Field((), description="how often a secret is in the training text, such as [1, 4, 16]; empty: none planted")
    per_rate: int = Field(4, ge=1, le=20, description="secrets of each rate; as many again are never planted, for comparison")

    @field_validator("rates")
    @classmethod
    def _rates(cls, rates: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= rate <= 10_000 for rate in rates) or len(set(rates)) != len(rates) or len(rates) > 5:
            raise ValueError("give at most 5 different rates from 1 to 10000")
        return rates
