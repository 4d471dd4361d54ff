"""Settings of the hardware for a training: GPU memory, the dtype of the large matrix products, and XLA (TRAIN-3).

Weights, sums and all other values outside the matrix products stay in float32.
"""

import os
from pathlib import Path
from typing import Any

import tensorflow as tf

from robo_poet.settings.train import TrainSettings

MEBIBYTE = 2**20


def configure_gpus(memory_mb: int) -> int:
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


def compute_dtype(setting: str) -> tf.DType:
    """Return the dtype for a precision setting.

    `auto` means float16 on a GPU (with loss scaling, see `make_optimizer`), bfloat16 on a CPU that is faster with it, else float32.
    """
    if setting != "auto":
        return tf.as_dtype(setting)
    if tf.config.list_physical_devices("GPU"):
        return tf.float16
    return tf.bfloat16 if _multiplies_bfloat16() else tf.float32


def _multiplies_bfloat16(cpu: Path = Path("/proc/cpuinfo")) -> bool:
    """Return True if the CPU multiplies bfloat16 faster than float32.

    The decision depends on the CPU's flags, not on a timing, so that one machine always uses the same dtype:

    - AMX (a matrix unit): bfloat16 is much faster.
    - AVX512-BF16 on AMD: bfloat16 is faster, 225 against 97 GFLOP/s in float32 (two cores).
    - AVX512-BF16 on Intel: bfloat16 is slower, 143 against 227 GFLOP/s. It runs at half rate there, and the conversions cost time, too.
    """
    try:
        flags = set(cpu.read_text().split())
    except OSError:
        return False
    return "amx_bf16" in flags or {"AuthenticAMD", "avx512_bf16"} <= flags


def matrix_product(a: tf.Tensor, b: tf.Tensor, compute: tf.DType, *, transpose_a: bool = False, transpose_b: bool = False) -> tf.Tensor:
    """Return the matrix product of `a` and `b`, computed in `compute` and cast back to the dtype of `a`."""
    result = tf.matmul(tf.cast(a, compute), tf.cast(b, compute), transpose_a=transpose_a, transpose_b=transpose_b)
    return tf.cast(result, a.dtype)


def uses_xla(settings: TrainSettings) -> bool:
    """Return True if XLA compiles the model. `auto` compiles only a transformer on a GPU.

    Measured at full size on 2 cores, 32×100 tokens:

    - transformer: 589 ms per step with XLA, 603 ms without; compilation takes 5 s more.
    - LSTM: 974 ms per step with XLA, 412 ms without; compilation takes 100 s more.

    On a GPU nothing has been measured; XLA has no kernel for cuDNN's LSTM. The projection onto the vocabulary is never compiled: it works
    in chunks, and the last chunk is smaller.
    """
    if settings.xla != "auto":
        return settings.xla == "always"
    return settings.architecture == "transformer" and bool(tf.config.list_physical_devices("GPU"))
