"""A training step as a TensorFlow graph: loss, gradient and update by AdamW (TRAIN-1), on one device or on several GPUs of one node.

float16 uses dynamic loss scaling (TRAIN-3). On several GPUs (tf.distribute.MirroredStrategy), each GPU processes a part of every batch, and
all have the same weights. The code of the model does not change; create model and optimizer under `strategy.scope()`.
"""

from typing import Any

import keras
import tensorflow as tf

from components.train_model.architectures.architecture import Architecture
from components.train_model.architectures.projection import Sums, projected_cross_entropy
from components.train_model.hardware import uses_xla
from components.train_model.training.callbacks import Batch
from robo_poet.settings.train import TrainSettings

GROWTH_STEPS = 2000  # finite steps after which the loss scale doubles
INITIAL_SCALE = 2.0**15


def make_optimizer(settings: TrainSettings, compute: tf.DType, devices: int = 1) -> Any:
    """Return AdamW (Loshchilov & Hutter 2019). In float16 it uses dynamic loss scaling (Micikevicius et al. 2018).

    Small gradients underflow to zero in float16. So the loss is multiplied by a scale, and the gradients are divided by it before use. A
    step with a non-finite gradient is skipped and halves the scale; `GROWTH_STEPS` finite steps double it. The scale and the step count
    are variables of the optimizer, so every checkpoint contains them. bfloat16 has float32's range and needs no scaling.

    Args:
        settings: rates, betas, epsilon, weight decay and clipping norm.
        compute: dtype of the matrix products.
        devices: number of devices that share a gradient, see `MirroredTrainStep`; `clipnorm` is divided by it.
    """
    inner = keras.optimizers.AdamW(
        settings.learning_rate, beta_1=settings.beta_1, beta_2=settings.beta_2, epsilon=settings.epsilon,
        weight_decay=settings.weight_decay, clipnorm=settings.clipnorm / devices,
    )  # fmt: skip
    return keras.optimizers.LossScaleOptimizer(inner, INITIAL_SCALE, GROWTH_STEPS) if compute == tf.float16 else inner


SEEDS_PER_STEP = 64  # larger than the number of dropout layers of any model


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
            tf.function(self._plain_features, jit_compile=True, autograph=False) if uses_xla(settings) else self._plain_features
        )
        self._train = tf.function(self._update, reduce_retracing=True, autograph=False)
        self._validate = tf.function(self.cross_entropy, reduce_retracing=True, autograph=False)

    def __call__(self, inputs: tf.Tensor, targets: tf.Tensor, step: int) -> Batch:
        """Train on inputs and targets, `[batch, time]` int32 each. `step` counts from 0."""
        values, gradients = self._train(inputs, targets, tf.constant(step))
        *sums, norm = values.numpy().tolist()  # one transfer to the host instead of six
        loss, nats, count, hits, top_hits = sums
        mean = 1 / max(1.0, count)
        return Batch(loss * mean, nats * mean, count, norm, gradients, hits * mean, top_hits * mean)

    def validate(self, inputs: tf.Tensor, targets: tf.Tensor) -> tuple[float, ...]:
        """Return the `Sums` without dropout, as floats."""
        return tuple(tf.stack(self._validate(inputs, targets)).numpy().tolist())

    def gradient(self, inputs: tf.Tensor, targets: tf.Tensor, seed: tf.Tensor, count: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return the sums of the loss over this batch, and the gradients.

        Args:
            inputs, targets: `[batch, time]` int32.
            seed: dropout seed, `[2]` int32.
            count: number of targets of the whole batch, over all devices.

        Returns:
            The `Sums` of the batch, `[5]` float32; gradients of loss / `count`,
            multiplied by the loss scale.
        """
        values = [variable.value for variable in self.model.trainable_variables]
        with tf.GradientTape() as tape:
            sums = self.cross_entropy(inputs, targets, seed, self.settings.label_smoothing)
            scaled = self.optimizer.scale_loss(sums.loss / count)
        # The embedding's gradient is IndexedSlices, one slice per token. Make it dense: the norm over slices is not the gradient's norm.
        return tf.stack(sums), [tf.convert_to_tensor(g) for g in tape.gradient(scaled, values)]

    def cross_entropy(self, inputs: tf.Tensor, targets: tf.Tensor, dropout_seed: tf.Tensor | None = None, smoothing: float = 0.0) -> Sums:
        """Return the sums of `projected_cross_entropy` for a batch."""
        features = self._features(inputs, dropout_seed)
        kernel, bias = self.architecture.head(self.model)
        return projected_cross_entropy(features, kernel, bias, tf.reshape(targets, [-1]), smoothing=smoothing, compute=self.compute)

    def _plain_features(self, inputs: tf.Tensor, dropout_seed: tf.Tensor | None) -> tf.Tensor:
        return self.architecture.features(self.model, inputs, self.compute, dropout_seed)

    def apply(self, sums: tf.Tensor, gradients: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Update the weights. Return the sums with the gradient norm appended, `[6]`, and the gradients without the loss scale."""
        unscaled = gradients
        if isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            scale = tf.identity(self.optimizer.dynamic_scale.value)  # before the update, which may change it
            unscaled = [gradient / scale for gradient in gradients]
        norm = tf.linalg.global_norm(unscaled)
        self.optimizer.apply(self._optimizer_gradients(gradients), self.model.trainable_variables)
        return tf.concat([sums, [norm]], axis=0), unscaled

    def _optimizer_gradients(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        return gradients

    def _update(self, inputs: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        count = tf.maximum(1.0, tf.reduce_sum(tf.cast(targets != 0, tf.float32)))
        return self.apply(*self.gradient(inputs, targets, tf.stack([self.seed, step * SEEDS_PER_STEP]), count))


def make_strategy(devices: int) -> tf.distribute.Strategy | None:
    """Return the strategy for the first `devices` GPUs (0 means all), or None if that is fewer than two devices.

    Without a GPU it uses the logical CPU devices. There is one, unless a test configures more.
    """
    available = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    names = [device.name for device in available][: devices or None]
    return tf.distribute.MirroredStrategy(names) if len(names) > 1 else None


class MirroredTrainStep(TrainStep):
    """A training step on several devices.

    The result is that of one device on the whole batch, except for rounding and dropout: each device has its own dropout seed.
    Validation runs only on the first device.
    """

    def __init__(self, strategy: tf.distribute.Strategy, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._strategy = strategy

    def _update(self, inputs: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        sums, gradients = self._strategy.run(self._replica_update, args=(inputs, targets, step))
        local_results = self._strategy.experimental_local_results
        return local_results(sums)[0], [local_results(gradient)[0] for gradient in gradients]

    def _replica_update(self, inputs: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Run the step of one device. Every device gets the whole batch of ids (some kilobytes) and takes its own rows."""
        replica = tf.distribute.get_replica_context()
        device, devices = replica.replica_id_in_sync_group, replica.num_replicas_in_sync
        rows = tf.shape(inputs)[0]
        begin, end = rows * device // devices, rows * (device + 1) // devices
        # Targets of the whole batch, so that the devices' losses add up to its mean.
        count = tf.maximum(1.0, tf.reduce_sum(tf.cast(targets != 0, tf.float32)))
        seed = tf.stack([self.seed + device, step * SEEDS_PER_STEP])
        sums, gradients = self.gradient(inputs[begin:end], targets[begin:end], seed, count)
        sums, *gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, [sums, *gradients])
        return self.apply(sums, gradients)

    def _optimizer_gradients(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Divide the gradients by the number of devices.

        Keras clips the gradients on each device and then sums them over the devices. Here they are summed before, so that the norm of the
        whole gradient is clipped. So each device passes the sum divided by the number of devices, and `clipnorm` is divided by the same
        number (see `make_optimizer`).
        """
        return [gradient / self._strategy.num_replicas_in_sync for gradient in gradients]
