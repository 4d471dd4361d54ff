from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.train_model.precision import _multiplies_bfloat16, compute_type, product


@pytest.mark.parametrize(
    ("vendor", "flags", "faster"),
    [
        ("GenuineIntel", "avx512f avx512_bf16 amx_bf16 amx_tile", True), ("GenuineIntel", "avx512f avx512_bf16", False),
        ("AuthenticAMD", "avx512f avx512_bf16", True), ("AuthenticAMD", "avx512f", False), ("GenuineIntel", "avx2", False),
    ],
)  # fmt: skip
def test_bfloat16_is_chosen_where_it_is_faster_only(vendor: str, flags: str, faster: bool, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: fpu sse2 {flags}\n")
    assert _multiplies_bfloat16(tmp_path / "cpuinfo") is faster


def test_a_machine_that_does_not_say_computes_in_float32(tmp_path: Path) -> None:
    assert not _multiplies_bfloat16(tmp_path / "nothing")


def test_what_is_asked_for_is_taken() -> None:
    assert [compute_type(name) for name in ("float32", "bfloat16", "float16")] == [tf.float32, tf.bfloat16, tf.float16]
    assert compute_type("auto") in (tf.float32, tf.bfloat16, tf.float16)


@pytest.mark.parametrize("compute", [tf.float32, tf.bfloat16, tf.float16])
def test_a_product_keeps_the_type_of_its_first_factor(compute: tf.DType) -> None:
    a, b = (np.random.default_rng(i).normal(size=(5, 5)).astype(np.float32) for i in (0, 1))
    found = product(tf.constant(a), tf.constant(b), compute, transpose_b=True)
    assert found.dtype == tf.float32 and np.allclose(found, a @ b.T, atol=0.1 if compute != tf.float32 else 1e-5)
