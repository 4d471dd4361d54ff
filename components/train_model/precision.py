"""The dtype of the large matrix products (TRAIN-3). Weights, sums and all other values stay in float32."""

from pathlib import Path

import tensorflow as tf


def compute_type(setting: str) -> tf.DType:
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

    Decides by the CPU's flags, not by a timing, so that one machine always uses the same dtype. A matrix unit (AMX) is much faster.
    AVX512-BF16 is faster on AMD (225 against 97 GFLOP/s in float32, two cores), slower on Intel (143 against 227): there it runs at half
    rate, and the conversions add to it.
    """
    try:
        flags = set(cpu.read_text().split())
    except OSError:
        return False
    return "amx_bf16" in flags or {"AuthenticAMD", "avx512_bf16"} <= flags


def product(a: tf.Tensor, b: tf.Tensor, compute: tf.DType, *, transpose_a: bool = False, transpose_b: bool = False) -> tf.Tensor:
    """Return the matrix product of `a` and `b`, computed in `compute` and cast back to the dtype of `a`."""
    result = tf.matmul(tf.cast(a, compute), tf.cast(b, compute), transpose_a=transpose_a, transpose_b=transpose_b)
    return tf.cast(result, a.dtype)
