"""Several GPUs of one node: each takes a part of every batch, and all have the same weights (tf.distribute.MirroredStrategy).

The model knows nothing of it. Model and optimizer must have been made under `strategy.scope()`.
"""

from typing import Any

import tensorflow as tf

from components.train_model.train_step import SEEDS_A_STEP, TrainStep


def make_strategy(devices: int) -> tf.distribute.Strategy | None:
    """The strategy for the first `devices` GPUs, 0 for all; None where that is one device or none: one needs no strategy.

    Without a GPU the logical CPU devices are counted, of which there is one unless a test makes more.
    """
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    chosen = [device.name for device in found][: devices or None]
    return tf.distribute.MirroredStrategy(chosen) if len(chosen) > 1 else None


class MirroredTrainStep(TrainStep):
    """The same step on several devices: what one device makes of the whole batch, but for rounding and for what is dropped out.

    Each device drops out by a seed of its own. Validation runs on the first device alone.
    """

    def __init__(self, strategy: tf.distribute.Strategy, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._strategy = strategy

    def _update(self, inputs: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        numbers, gradients = self._strategy.run(self._part, args=(inputs, targets, step))
        first = self._strategy.experimental_local_results
        return first(numbers)[0], [first(gradient)[0] for gradient in gradients]

    def _part(self, inputs: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """What one device does: every device gets the whole batch of ids, some kilobytes, and takes its rows."""
        replica = tf.distribute.get_replica_context()
        number, devices = replica.replica_id_in_sync_group, replica.num_replicas_in_sync
        rows = tf.shape(inputs)[0]
        begin, end = rows * number // devices, rows * (number + 1) // devices
        count = tf.maximum(1.0, tf.reduce_sum(tf.cast(targets != 0, tf.float32)))  # of the whole batch: the sum of parts is its mean
        seed = tf.stack([self.seed + number, step * SEEDS_A_STEP])
        sums, gradients = self.gradient(inputs[begin:end], targets[begin:end], seed, count)
        sums, *gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, [sums, *gradients])
        return self.apply(sums, gradients)

    def _to_optimizer(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Keras clips and then adds up over the devices. Ours are added up already, so that the clipping sees the whole gradient:
        each device brings its share of it, and the optimizer clips at its share of `clipnorm` (see `Trainer`)."""
        return [gradient / self._strategy.num_replicas_in_sync for gradient in gradients]
