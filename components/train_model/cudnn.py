"""An LSTM layer on a GPU: by Keras' own layer, which calls cuDNN's fused kernels where they can be used (TRAIN-3).

On a CPU `recurrence.lstm_sequence` is faster and is used. That the two compute the same function is tested on a CPU, where Keras takes
its generic kernels; on a GPU this has not been run. `jit_compile` stays off around it: XLA has no kernel for cuDNN's.
"""

import keras
import tensorflow as tf


def on_gpu() -> bool:
    """Whether there is a GPU that the recurrence should run on."""
    return bool(tf.config.list_physical_devices("GPU"))


def cudnn_sequence(layer: keras.layers.LSTM, x: tf.Tensor, compute: tf.DType) -> tf.Tensor:
    """Hidden states of all steps, from zero states, as `lstm_sequence` with the weights of `layer`.

    Args:
        layer: built, with `return_sequences`. Its numbers are from now on those of `compute`, its weights stay float32.
        x: `[time, batch, width]` float32.
        compute: float16 for the tensor cores; bfloat16 is no type of cuDNN's LSTM, and is taken as float32.

    Returns:
        `[time, batch, units]` float32.
    """
    policy = "mixed_float16" if compute == tf.float16 else "float32"
    if layer.dtype_policy.name != policy:
        layer.dtype_policy = layer.cell.dtype_policy = keras.DTypePolicy(policy)
    return tf.transpose(tf.cast(layer(tf.transpose(x, [1, 0, 2])), x.dtype), [1, 0, 2])
