"""The interface of an architecture, eight functions, and the table of architectures (MODEL-3). Each architecture is one module."""

from typing import Any, Protocol

import keras
import tensorflow as tf

from components.train_model.architectures import lstm, transformer
from robo_poet.settings.train import TrainSettings

State = Any  # a nest of tensors whose shapes do not change between steps


class Architecture(Protocol):
    """An interface that training, export and generation rely on."""

    def build(self, settings: TrainSettings, vocabulary: int) -> keras.Model:
        """Return the Keras model: token ids `[batch, time]` int32 → logits `[batch, time, vocabulary]` float32."""

    def features(self, model: keras.Model, tokens: tf.Tensor, compute: tf.DType, dropout_seed: tf.Tensor | None = None) -> tf.Tensor:
        """Return the inputs of the output projection: ids `[batch, time]` → `[batch · time, width]`.

        Training uses this function because it is fast. Dropout is on if `dropout_seed` is given, and depends only on this seed.
        """

    def activation_floats_per_token(self, settings: TrainSettings) -> float:
        """Return the number of float32 values per token that training keeps in memory: those of the forward and of the backward pass."""

    def head(self, model: keras.Model) -> tuple[tf.Tensor, tf.Tensor]:
        """Return kernel `[width, vocabulary]` and bias `[vocabulary]` of the output projection."""

    def body(self, model: keras.Model) -> keras.Model:
        """Return the model without its output projection: ids `[batch, time]` → `[batch, time, width]`. The weights are shared."""

    def init_state(self, model: keras.Model, batch: tf.Tensor) -> State:
        """Return the state before the first token, for `batch` rows."""

    def step(self, model: keras.Model, tokens: tf.Tensor, state: State, position: tf.Tensor) -> tuple[tf.Tensor, State]:
        """Process one token per row: ids `[batch]` → `[batch, width]` and the next state.

        All tokens are at the same `position` (scalar int32, from 0). The caller projects the result with `head`. So a prompt is read
        without computing its logits.
        """

    def select(self, state: State, rows: tf.Tensor) -> State:
        """Return a state whose row i is the old row `rows[i]`. `rows` is `[new batch]` int32."""


ARCHITECTURES: dict[str, Architecture] = {"lstm": lstm, "transformer": transformer}
