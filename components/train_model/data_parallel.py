"""Training on several GPUs of one node: each takes a part of every batch, and all hold the same weights (tf.distribute.MirroredStrategy).

The model's code does not change. Create model and optimizer under `strategy.scope()`.
"""

from typing import Any

import tensorflow as tf

from components.train_model.train_step import SEEDS_A_STEP, TrainStep


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
        sums, gradients = self._strategy.run(self._part, args=(inputs, targets, step))
        local_results = self._strategy.experimental_local_results
        return local_results(sums)[0], [local_results(gradient)[0] for gradient in gradients]

    def _part(self, inputs: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Run the step of one device. Every device gets the whole batch of ids (some kilobytes) and takes its own rows."""
        replica = tf.distribute.get_replica_context()
        device, devices = replica.replica_id_in_sync_group, replica.num_replicas_in_sync
        rows = tf.shape(inputs)[0]
        begin, end = rows * device // devices, rows * (device + 1) // devices
        # Targets of the whole batch, so that the devices' losses add up to its mean.
        count = tf.maximum(1.0, tf.reduce_sum(tf.cast(targets != 0, tf.float32)))
        seed = tf.stack([self.seed + device, step * SEEDS_A_STEP])
        sums, gradients = self.gradient(inputs[begin:end], targets[begin:end], seed, count)
        sums, *gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, [sums, *gradients])
        return self.apply(sums, gradients)

    def _to_optimizer(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Divide the gradients by the number of devices.

        Keras clips on each device and then sums over the devices. These gradients are already summed, so that clipping sees the whole
        gradient. Each device passes on its share, and the optimizer clips at its share of `clipnorm` (see `make_optimizer`).
        """
        return [gradient / self._strategy.num_replicas_in_sync for gradient in gradients]
