"""What an architecture gives: eight functions, one file each architecture (MODEL-3)."""

from typing import Any, Protocol

import keras
import tensorflow as tf

from components.train_model import lstm, transformer
from robo_poet.settings.train import TrainSettings

State = Any  # a nest of tensors of one shape from step to step


class Architecture(Protocol):
    """The interface that training, export and generation rely on."""

    def build(self, settings: TrainSettings, vocabulary: int) -> keras.Model:
        """The model: token ids `[batch, time]` int32 → logits `[batch, time, vocabulary]` float32."""

    def features(self, model: keras.Model, tokens: tf.Tensor, compute: tf.DType, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        """What the logits are projected from, fast and with a seeded dropout: ids `[batch, time]` → `[batch · time, width]`."""

    def floats_a_token(self, settings: TrainSettings) -> float:
        """Numbers a token that the forward pass leaves for the backward pass, and those that the backward pass adds: see `memory`."""

    def head(self, model: keras.Model) -> tuple[tf.Tensor, tf.Tensor]:
        """Kernel `[width, vocabulary]` and bias `[vocabulary]` of the projection."""

    def body(self, model: keras.Model) -> keras.Model:
        """The same model without its projection, weights shared: ids `[batch, time]` → `[batch, time, width]`."""

    def init_state(self, model: keras.Model, batch: tf.Tensor) -> State:
        """State before the first token, for `batch` rows."""

    def step(self, model: keras.Model, tokens: tf.Tensor, state: State, position: tf.Tensor) -> tuple[tf.Tensor, State]:
        """One token a row, all at the same `position` (scalar int32, from 0): ids `[batch]` → `[batch, width]` and the next state.

        What it gives is projected by `head`, so that a prompt is read without its logits being computed.
        """

    def select(self, state: State, rows: tf.Tensor) -> State:
        """The state of other rows: `rows` `[new batch]` int32 says which row each new one goes on from."""


ARCHITECTURES: dict[str, Architecture] = {"lstm": lstm, "transformer": transformer}
