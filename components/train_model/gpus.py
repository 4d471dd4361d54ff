"""Set-up of the machine's GPUs before TensorFlow first uses them: memory on demand, up to a limit (TRAIN-3)."""

import os
from typing import Any

import tensorflow as tf

MEBIBYTE = 2**20


def prepare_gpus(memory_mb: int) -> int:
    """Let TensorFlow allocate GPU memory on demand, up to `memory_mb` (10⁶ bytes) per GPU; 0 means no limit.

    The limit applies to TensorFlow's allocations; CUDA itself takes about 300 MB more. Call this before any computation. Without a GPU
    it does nothing.

    Returns:
        The number of GPUs.
    """
    gpus: list[Any] = tf.config.list_physical_devices("GPU")
    if gpus:
        # TensorFlow ignores `set_memory_growth` on a device with a limit and allocates the whole limit. It respects this variable.
        os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    for gpu in gpus:
        if memory_mb:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=memory_mb * 10**6 // MEBIBYTE)
            tf.config.set_logical_device_configuration(gpu, [limit])
        else:
            tf.config.experimental.set_memory_growth(gpu, True)
    return len(gpus)
