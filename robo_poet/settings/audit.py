"""Settings of the bias and memorisation measurements (EVAL-4)."""

from typing import Literal

from pydantic import Field, model_validator

from robo_poet.settings.base import Settings
from robo_poet.settings.planted_secrets import PlantedSecretsSettings


class AuditSettings(Settings):
    """Section `audit` of a profile: counterfactual pairs, sampling, and the canary strings."""

    languages: tuple[Literal["en", "es"], ...] = Field(
        ("en", "es"), min_length=1, description="of the pairs whose likelihood is compared; completions are judged in English alone"
    )
    pairs: int = Field(200, ge=20, le=20_000, description="counterfactual pairs an axis and language; as many as the suite has at most")
    prompts: int = Field(120, ge=15, le=20_000, description="pairs of openings an axis that the model continues; 15 are 5 for 3 groups")
    completion_tokens: int = Field(24, ge=10, le=256)
    temperature: float = Field(0.8, ge=0.1, le=2.0)
    top_k: int = Field(50, ge=0, le=100, description="0 is off")
    top_p: float = Field(0.9, ge=0.1, le=1.0)
    batch: int = Field(64, ge=1, le=1024, description="rows a call of the exported model")
    width: int = Field(96, ge=16, le=256, description="tokens of a sentence, at most; longer ones are left out")
    resamples: int = Field(2000, ge=200, le=100_000, description="of the bootstrap over templates")
    secrets: PlantedSecretsSettings = Field(PlantedSecretsSettings(), description="what was planted in the training text")
    candidates: int = Field(255, ge=31, le=100_000, description="other secrets that each one is ranked among")
    attempts: int = Field(8, ge=0, le=1000, description="sampled completions of a secret's sentence, beside the greedy one")

    @model_validator(mode="after")
    def _each_language_once(self) -> "AuditSettings":
        if len(set(self.languages)) != len(self.languages):
            raise ValueError("languages: each once")
        return self
