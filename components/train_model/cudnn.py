"""An LSTM layer on a GPU: the Keras layer, which calls cuDNN's fused kernels where it can (TRAIN-3).

On a CPU `recurrence.lstm_sequence` is used because it is faster. A test compares the two functions on a CPU, where Keras uses its generic
kernels. This code has not been run on a GPU. `jit_compile` must be off here: XLA has no kernel that replaces cuDNN's.
"""

import keras
import tensorflow as tf


def on_gpu() -> bool:
    """Return True if there is a GPU, so that the recurrence runs on it."""
    return bool(tf.config.list_physical_devices("GPU"))


def cudnn_sequence(layer: keras.layers.LSTM, x: tf.Tensor, compute: tf.DType) -> tf.Tensor:
    """Return the hidden states of all steps, as `lstm_sequence` with the weights of `layer`. The initial states are zero.

    Args:
        layer: a built layer with `return_sequences`. Its dtype policy is set according to `compute`; its weights stay float32.
        x: `[time, batch, width]` float32.
        compute: float16 uses the tensor cores. cuDNN's LSTM does not support bfloat16, so it runs in float32.

    Returns:
        `[time, batch, units]` float32.
    """
    policy = "mixed_float16" if compute == tf.float16 else "float32"
    if layer.dtype_policy.name != policy:
        layer.dtype_policy = layer.cell.dtype_policy = keras.DTypePolicy(policy)
    return tf.transpose(tf.cast(layer(tf.transpose(x, [1, 0, 2])), x.dtype), [1, 0, 2])
