"""Settings of the evaluation on the test split (EVAL-1, EVAL-2, REG-3)."""

from pydantic import Field, model_validator

from robo_poet.settings.base import Settings


class EvaluateSettings(Settings):
    """Section `evaluate` of a profile."""

    batch: int = Field(32, ge=1, le=1024, description="rows a call of the exported model")
    continuations: int = Field(100, ge=1, le=10_000, description="held-out prompts that are continued")
    prompt_tokens: int = Field(32, ge=3, le=256)
    continuation_tokens: int = Field(64, ge=10, le=480)
    temperature: float = Field(0.8, ge=0.1, le=2.0)
    top_k: int = Field(50, ge=0, le=100, description="0 is off")
    top_p: float = Field(0.9, ge=0.1, le=1.0)
    edge_tokens: int = Field(4000, ge=1, le=1_000_000, description="held-out tokens on which the edge model's loss is measured, one by one")

    @model_validator(mode="after")
    def _within_the_model(self) -> "EvaluateSettings":
        if self.prompt_tokens + self.continuation_tokens > 511:  # <START> is the 512th token
            raise ValueError("prompt_tokens and continuation_tokens are together more than 511")
        return self
