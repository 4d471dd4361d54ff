"""The GPUs of this machine, before TensorFlow first uses them: memory on demand, up to a limit (TRAIN-3). Without a GPU nothing happens."""

import os
from typing import Any

import tensorflow as tf

MEBIBYTE = 2**20


def prepare_gpus(memory_mb: int) -> int:
    """Let each GPU's memory grow as it is needed, to `memory_mb` (10⁶ bytes) at most; 0 for all that the card has.

    The limit is on what TensorFlow allocates; CUDA takes some 300 MB more of the card. To be called before anything is computed.

    Returns:
        how many GPUs there are.
    """
    gpus: list[Any] = tf.config.list_physical_devices("GPU")
    if gpus:
        # TensorFlow ignores `set_memory_growth` on a device with a limit, and would take all of the limit at once; this it heeds.
        os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    for gpu in gpus:
        if memory_mb:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=memory_mb * 10**6 // MEBIBYTE)
            tf.config.set_logical_device_configuration(gpu, [limit])
        else:
            tf.config.experimental.set_memory_growth(gpu, True)
    return len(gpus)
