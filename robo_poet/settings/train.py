"""Model size and training (MODEL-1, TRAIN-1, TRAIN-2, DATA-7)."""

from typing import Literal

from pydantic import Field, model_validator

from robo_poet.settings.base import Settings


class TrainSettings(Settings):
    """Section `train` of a profile."""

    architecture: Literal["lstm"] = "lstm"
    embedding: int = Field(128, ge=8, le=4096, description="embedding width")
    units: int = Field(256, ge=8, le=4096, description="units of each recurrent layer")
    layers: int = Field(2, ge=1, le=8)
    dropout: float = Field(0.3, ge=0, lt=1)
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
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="of matrix products; auto: bfloat16 where the CPU has it")
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    plateau_factor: float = Field(0.5, gt=0, lt=1, description="ReduceLROnPlateau on validation perplexity")
    plateau_patience: int = Field(2, ge=0)
    plateau_cooldown: int = Field(1, ge=0)
    min_learning_rate: float = Field(1e-6, ge=0)
    early_stopping_patience: int = Field(3, ge=1)
    checkpoint_steps: int = Field(200, ge=1, description="steps between checkpoints; every validation makes one too")
    validate_steps: int = Field(0, ge=0, description="steps between validations; 0 validates at the end of each epoch")

    @model_validator(mode="after")
    def _no_token_left_out(self) -> "TrainSettings":
        if self.stride > self.window:
            raise ValueError(f"stride {self.stride} is larger than window {self.window}: text between two windows would be left out")
        return self
