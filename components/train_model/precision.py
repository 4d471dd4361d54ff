"""In which numbers the large matrix products are computed (TRAIN-3). Weights, sums and everything else stay in float32."""

from pathlib import Path

import tensorflow as tf


def compute_type(setting: str) -> tf.DType:
    """`auto` is float16 on a GPU (with loss scaling, see `optimizer`), bfloat16 on a CPU that is faster with it, else float32."""
    if setting != "auto":
        return tf.as_dtype(setting)
    if tf.config.list_physical_devices("GPU"):
        return tf.float16
    return tf.bfloat16 if _multiplies_bfloat16() else tf.float32


def _multiplies_bfloat16(cpu: Path = Path("/proc/cpuinfo")) -> bool:
    """By what the CPU is, and not by a stopwatch, so that the same machine always computes the same numbers.

    A matrix unit (AMX) is faster by much. AVX512-BF16 is on AMD, at twice the rate of float32 (225 and 97 GFLOP/s measured on two
    cores); Intel runs it at half its rate, and the conversions come on top (143 and 227).
    """
    try:
        words = set(cpu.read_text().split())
    except OSError:
        return False
    return "amx_bf16" in words or {"AuthenticAMD", "avx512_bf16"} <= words


def product(a: tf.Tensor, b: tf.Tensor, compute: tf.DType, *, transpose_a: bool = False, transpose_b: bool = False) -> tf.Tensor:
    """Matrix product of `a` and `b`, multiplied in `compute`, given back in `a`'s own type."""
    result = tf.matmul(tf.cast(a, compute), tf.cast(b, compute), transpose_a=transpose_a, transpose_b=transpose_b)
    return tf.cast(result, a.dtype)
