"""Settings of the model, its training and the canary strings in its training text (MODEL-1, MODEL-2, TRAIN-1 to TRAIN-4, DATA-7).

The canary strings measure memorisation (Carlini et al. 2019). The training step and the audit step read the same values.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from robo_poet.settings.base import Settings

# Defaults that differ between the architectures.
BY_ARCHITECTURE: Mapping[str, Mapping[str, Any]] = {"lstm": {"layers": 2, "dropout": 0.3}, "transformer": {"layers": 6, "dropout": 0.1}}


class TrainSettings(Settings):
    """Section `train` of a profile."""

    architecture: Literal["lstm", "transformer"] = "lstm"
    embedding: int = Field(128, ge=8, le=4096, description="embedding width; a transformer's width throughout")
    units: int = Field(256, ge=8, le=4096, description="units of each recurrent layer (lstm)")
    layers: int = Field(2, ge=1, le=24, description="recurrent layers or blocks; left out: 2 of an lstm, 6 of a transformer")
    heads: int = Field(4, ge=1, le=64, description="attention heads, each embedding / heads wide (transformer)")
    ffn: int = Field(512, ge=8, le=16384, description="width of the feed-forward layer (transformer)")
    dropout: float = Field(0.3, ge=0, lt=1, description="left out: 0.3 of an lstm, 0.1 of a transformer")
    warm_start: int = Field(0, ge=0, description="begin with the weights of this version of the registry; 0 begins anew")
    window: int = Field(100, ge=8, le=512, description="tokens a sequence")
    stride: int = Field(50, ge=1, le=512, description="tokens between the starts of two sequences")
    batch: int = Field(32, ge=1, le=4096, description="sequences a step")
    epochs: int = Field(20, ge=1, le=1000, description="at most; early stopping may end sooner")
    max_steps: int = Field(0, ge=0, description="stop after this many steps; 0 means no limit")
    learning_rate: float = Field(1e-3, gt=0, le=1)
    beta_1: float = Field(0.9, ge=0, lt=1)
    beta_2: float = Field(0.999, ge=0, lt=1)
    epsilon: float = Field(1e-7, gt=0)
    weight_decay: float = Field(0.01, ge=0, le=1)
    clipnorm: float = Field(1.0, gt=0)
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="of matrix products; auto: float16 on a GPU, bfloat16 on a CPU that has it, else float32"
    )
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    plateau_factor: float = Field(0.5, gt=0, lt=1, description="ReduceLROnPlateau on validation perplexity")
    plateau_patience: int = Field(2, ge=0)
    plateau_cooldown: int = Field(1, ge=0)
    min_learning_rate: float = Field(1e-6, ge=0)
    early_stopping_patience: int = Field(3, ge=1)
    checkpoint_steps: int = Field(200, ge=1, description="steps between checkpoints; every validation makes one too")
    validate_steps: int = Field(0, ge=0, description="steps between validations; 0 validates at the end of each epoch")
    xla: Literal["auto", "always", "never"] = Field("auto", description="compile by XLA; auto: a transformer on a GPU")
    devices: int = Field(0, ge=0, le=64, description="GPUs that share each batch; 0 for all of the node")
    gpu_memory_mb: int = Field(7200, ge=0, description="MB of 10⁶ bytes that training takes of each GPU at most; 0 for all (TRAIN-3)")
    log_steps: int = Field(100, ge=1, description="steps between TensorBoard's scalars; the loss is there for each")
    sample_steps: int = Field(500, ge=1, description="steps between samples of generated text in TensorBoard")

    @model_validator(mode="before")
    @classmethod
    def _what_the_architecture_suggests(cls, values: Any) -> Any:
        """Fill in the defaults of the architecture, so that every reader of the settings sees the effective values."""
        if not isinstance(values, Mapping):
            return values
        defaults = BY_ARCHITECTURE.get(str(values.get("architecture", "lstm")), {})
        return {**defaults, **{key: value for key, value in values.items() if value is not None or key not in defaults}}

    @model_validator(mode="after")
    def _heads_of_one_width(self) -> "TrainSettings":
        if self.architecture == "transformer" and self.embedding % self.heads:
            raise ValueError(f"embedding {self.embedding} cannot be divided among {self.heads} heads")
        if self.architecture == "transformer" and self.embedding % 2:
            raise ValueError(f"embedding {self.embedding} is odd: positions are told in pairs of sine and cosine")
        return self

    @model_validator(mode="after")
    def _no_token_left_out(self) -> "TrainSettings":
        if self.stride > self.window:
            raise ValueError(f"stride {self.stride} is larger than window {self.window}: text between two windows would be left out")
        return self


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
