"""In which numbers the large matrix products are computed (TRAIN-3). Weights, sums and everything else stay in float32."""

from pathlib import Path

import tensorflow as tf

FLAGS = ("avx512_bf16", "amx_bf16")


def compute_type(setting: str) -> tf.DType:
    """`auto` is bfloat16 on a CPU that multiplies it natively, else float32: elsewhere it is emulated, and slower."""
    if setting == "auto":
        return tf.bfloat16 if _multiplies_bfloat16() else tf.float32
    return tf.as_dtype(setting)


def _multiplies_bfloat16() -> bool:
    if tf.config.list_physical_devices("GPU"):
        return False  # a GPU's own half precision is float16, which needs loss scaling
    try:
        words = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return any(flag in words for flag in FLAGS)


def product(a: tf.Tensor, b: tf.Tensor, compute: tf.DType, *, transpose_a: bool = False, transpose_b: bool = False) -> tf.Tensor:
    """Matrix product of `a` and `b`, multiplied in `compute`, given back in `a`'s own type."""
    result = tf.matmul(tf.cast(a, compute), tf.cast(b, compute), transpose_a=transpose_a, transpose_b=transpose_b)
    return tf.cast(result, a.dtype)
