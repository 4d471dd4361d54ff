"""A training step as a TensorFlow graph: loss, gradient, update."""

from typing import Any

import keras
import tensorflow as tf

from components.train_model.architecture import Architecture
from components.train_model.callbacks.callback import Batch
from components.train_model.projection import projected_cross_entropy
from components.train_model.xla import compiles
from robo_poet.settings.train import TrainSettings

SEEDS_A_STEP = 64  # larger than the number of dropout layers of any model


class TrainStep:
    """A training step that updates `model` in place with one batch per call.

    Args:
        architecture: the architecture of `model`.
        model: the model that is trained.
        optimizer: from `make_optimizer`, built for the model's trainable variables.
        settings: label smoothing and XLA are read from it.
        compute: dtype of the matrix products.
        seed: dropout depends on this seed and the number of the step.
    """

    def __init__(
        self, architecture: Architecture, model: keras.Model, optimizer: Any, settings: TrainSettings, compute: tf.DType, seed: int
    ) -> None:
        self.architecture, self.model, self.optimizer, self.settings = architecture, model, optimizer, settings
        self.compute, self.seed = compute, seed
        # The graph code uses no Python loops or branches on tensors. So AutoGraph is off, and a training starts one second sooner.
        self._features = (
            tf.function(self._plain_features, jit_compile=True, autograph=False) if compiles(settings) else self._plain_features
        )
        self._train = tf.function(self._update, reduce_retracing=True, autograph=False)
        self._validate = tf.function(self.cross_entropy, reduce_retracing=True, autograph=False)

    def __call__(self, inputs: tf.Tensor, targets: tf.Tensor, step: int) -> Batch:
        """Train on inputs and targets, `[batch, time]` int32 each. `step` counts from 0."""
        sums, gradients = self._train(inputs, targets, tf.constant(step))
        loss, nats, count, norm = sums.numpy().tolist()  # one transfer to the host instead of four
        return Batch(loss / max(1.0, count), nats / max(1.0, count), count, norm, gradients)

    def validate(self, inputs: tf.Tensor, targets: tf.Tensor) -> tuple[float, float]:
        """Return the sum of the unsmoothed cross-entropy without dropout, in nats, and the number of targets."""
        _, nats, count = self._validate(inputs, targets)
        return float(nats), float(count)

    def gradient(self, inputs: tf.Tensor, targets: tf.Tensor, seed: tf.Tensor, count: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return the sums of this batch and the gradients.

        Args:
            inputs, targets: `[batch, time]` int32.
            seed: dropout seed, `[2]` int32.
            count: number of targets of the whole batch, over all devices.

        Returns:
            Sum of the loss, sum of the unsmoothed cross-entropy and number of targets, `[3]` float32; gradients of loss / `count`,
            multiplied by the loss scale.
        """
        values = [variable.value for variable in self.model.trainable_variables]
        with tf.GradientTape() as tape:
            total, nats, targets_seen = self.cross_entropy(inputs, targets, seed, self.settings.label_smoothing)
            scaled = self.optimizer.scale_loss(total / count)
        # The embedding's gradient is IndexedSlices, one slice per token. Make it dense: the norm over slices is not the gradient's norm.
        return tf.stack([total, nats, targets_seen]), [tf.convert_to_tensor(g) for g in tape.gradient(scaled, values)]

    def cross_entropy(
        self, inputs: tf.Tensor, targets: tf.Tensor, dropout_seed: tf.Tensor | None = None, smoothing: float = 0.0
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Return the three sums of `projected_cross_entropy` for a batch."""
        features = self._features(inputs, dropout_seed)
        kernel, bias = self.architecture.head(self.model)
        return projected_cross_entropy(features, kernel, bias, tf.reshape(targets, [-1]), smoothing=smoothing, compute=self.compute)

    def _plain_features(self, inputs: tf.Tensor, dropout_seed: tf.Tensor | None) -> tf.Tensor:
        return self.architecture.features(self.model, inputs, self.compute, dropout_seed)

    def apply(self, sums: tf.Tensor, gradients: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Update the weights. Return the sums with the gradient norm appended, `[4]`, and the gradients without the loss scale."""
        unscaled = gradients
        if isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            scale = tf.identity(self.optimizer.dynamic_scale.value)  # before the update, which may change it
            unscaled = [gradient / scale for gradient in gradients]
        norm = tf.linalg.global_norm(unscaled)
        self.optimizer.apply(self._to_optimizer(gradients), self.model.trainable_variables)
        return tf.concat([sums, [norm]], axis=0), unscaled

    def _to_optimizer(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        return gradients

    def _update(self, inputs: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        count = tf.maximum(1.0, tf.reduce_sum(tf.cast(targets != 0, tf.float32)))
        return self.apply(*self.gradient(inputs, targets, tf.stack([self.seed, step * SEEDS_A_STEP]), count))
