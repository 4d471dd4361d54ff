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
    embedding: int = Field(128, ge=8, le=4096, description="width of the embedding; in a transformer, of all blocks")
    units: int = Field(256, ge=8, le=4096, description="units of each recurrent layer (lstm)")
    layers: int = Field(2, ge=1, le=24, description="recurrent layers or transformer blocks; default 2 (lstm), 6 (transformer)")
    heads: int = Field(4, ge=1, le=64, description="attention heads, each of width embedding / heads (transformer)")
    ffn: int = Field(512, ge=8, le=16384, description="width of the feed-forward layer (transformer)")
    dropout: float = Field(0.3, ge=0, lt=1, description="dropout rate; default 0.3 (lstm), 0.1 (transformer)")
    warm_start: int = Field(0, ge=0, description="start with the weights of this version of the registry; 0: random weights")
    window: int = Field(100, ge=8, le=512, description="length of a sequence, in tokens")
    stride: int = Field(50, ge=1, le=512, description="tokens between the starts of two sequences; at most `window`")
    batch: int = Field(32, ge=1, le=4096, description="sequences per training step")
    epochs: int = Field(20, ge=1, le=1000, description="largest number of epochs; early stopping may end the training earlier")
    max_steps: int = Field(0, ge=0, description="stop after this many steps; 0 means no limit")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="learning rate at the start (AdamW)")
    beta_1: float = Field(0.9, ge=0, lt=1, description="AdamW: decay rate of the first moment")
    beta_2: float = Field(0.999, ge=0, lt=1, description="AdamW: decay rate of the second moment")
    epsilon: float = Field(1e-7, gt=0, description="AdamW: added to the denominator")
    weight_decay: float = Field(0.01, ge=0, le=1, description="AdamW: decoupled weight decay")
    clipnorm: float = Field(1.0, gt=0, description="the gradient of each weight matrix is clipped to this norm")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="precision of matrix products; auto: float16 on a GPU, bfloat16 on a CPU that supports it, else float32"
    )
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="share of the target probability that is spread over all tokens")
    plateau_factor: float = Field(0.5, gt=0, lt=1, description="factor of the learning rate when the validation perplexity stagnates")
    plateau_patience: int = Field(2, ge=0, description="validations without improvement before the learning rate is reduced")
    plateau_cooldown: int = Field(1, ge=0, description="validations after a reduction that do not count")
    min_learning_rate: float = Field(1e-6, ge=0, description="smallest learning rate")
    early_stopping_patience: int = Field(3, ge=1, description="validations without improvement before the training ends")
    checkpoint_steps: int = Field(200, ge=1, description="steps between checkpoints; every validation also saves one")
    validate_steps: int = Field(0, ge=0, description="steps between validations; 0 validates at the end of each epoch")
    xla: Literal["auto", "always", "never"] = Field("auto", description="compile with XLA; auto: only a transformer on a GPU")
    devices: int = Field(0, ge=0, le=64, description="number of GPUs that share each batch; 0: all GPUs of the node")
    gpu_memory_mb: int = Field(7200, ge=0, description="memory limit per GPU, in MB of 10⁶ bytes; 0: no limit (TRAIN-3)")
    log_steps: int = Field(100, ge=1, description="steps between TensorBoard scalars; the loss is logged for every step")
    sample_steps: int = Field(500, ge=1, description="steps between samples of generated text in TensorBoard")

    @model_validator(mode="before")
    @classmethod
    def _fill_architecture_defaults(cls, values: Any) -> Any:
        """Fill in the defaults of the architecture, so that every reader of the settings sees the effective values."""
        if not isinstance(values, Mapping):
            return values
        defaults = BY_ARCHITECTURE.get(str(values.get("architecture", "lstm")), {})
        return {**defaults, **{key: value for key, value in values.items() if value is not None or key not in defaults}}

    @model_validator(mode="after")
    def _check_transformer_width(self) -> "TrainSettings":
        if self.architecture == "transformer" and self.embedding % self.heads:
            raise ValueError(f"embedding {self.embedding} cannot be divided among {self.heads} heads")
        if self.architecture == "transformer" and self.embedding % 2:
            raise ValueError(f"embedding {self.embedding} is odd; give an even number, because positions are pairs of sine and cosine")
        return self

    @model_validator(mode="after")
    def _check_stride(self) -> "TrainSettings":
        if self.stride > self.window:
            raise ValueError(f"stride {self.stride} is larger than window {self.window}; the text between two windows would be skipped")
        return self


class PlantedSecretsSettings(Settings):
    """Section `audit.secrets` of a profile. The training step and the audit step read the same values."""

    rates: tuple[int, ...] = Field((), description="how often a canary string is planted, such as [1, 4, 16]; empty: never")
    per_rate: int = Field(4, ge=1, le=20, description="canary strings per rate; as many others are not planted, for comparison")

    @field_validator("rates")
    @classmethod
    def _check_rates(cls, rates: tuple[int, ...]) -> tuple[int, ...]:
        if any(not 1 <= rate <= 10_000 for rate in rates) or len(set(rates)) != len(rates) or len(rates) > 5:
            raise ValueError("give at most 5 different rates from 1 to 10000")
        return rates
