import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from components.train_model.hardware import _multiplies_bfloat16, compute_dtype, configure_gpus, matrix_product, uses_xla
from robo_poet.settings.train import TrainSettings
from tests.components.train_model.toy import trainer


@pytest.fixture
def gpu_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object, object]]:
    """The calls that configure two simulated GPUs."""
    calls: list[tuple[str, object, object]] = []
    cards = [SimpleNamespace(name=f"/physical_device:GPU:{i}", device_type="GPU") for i in range(2)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: cards if kind == "GPU" else [])
    monkeypatch.setattr(
        tf.config,
        "set_logical_device_configuration",
        lambda card, limits: calls.append(("limit", card.name, [x.memory_limit for x in limits])),
    )
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda card, growth: calls.append(("growth", card.name, growth)))
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    return calls


def test_each_gpu_has_a_limit_in_mebibytes_and_grows(gpu_calls: list[tuple[str, object, object]]) -> None:
    assert configure_gpus(7200) == 2
    assert gpu_calls == [("limit", f"/physical_device:GPU:{i}", [6866]) for i in range(2)]  # 7.2e9 / 2^20
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_without_a_limit_each_gpu_grows(gpu_calls: list[tuple[str, object, object]]) -> None:
    assert configure_gpus(0) == 2
    assert gpu_calls == [("growth", f"/physical_device:GPU:{i}", True) for i in range(2)]


def test_a_gpu_computes_in_float16_by_default(gpu_calls: list[tuple[str, object, object]]) -> None:
    assert compute_dtype("auto") == tf.float16
    assert compute_dtype("float32") == tf.float32


def test_without_a_gpu_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)
    assert configure_gpus(7200) == 0
    assert "TF_FORCE_GPU_ALLOW_GROWTH" not in os.environ
    assert compute_dtype("auto") in (tf.float32, tf.bfloat16)


@pytest.mark.parametrize(
    ("vendor", "flags", "faster"),
    [
        ("GenuineIntel", "avx512f avx512_bf16 amx_bf16 amx_tile", True), ("GenuineIntel", "avx512f avx512_bf16", False),
        ("AuthenticAMD", "avx512f avx512_bf16", True), ("AuthenticAMD", "avx512f", False), ("GenuineIntel", "avx2", False),
    ],
)  # fmt: skip
def test_bfloat16_is_chosen_only_if_it_is_faster(vendor: str, flags: str, faster: bool, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nvendor_id\t: {vendor}\nflags\t\t: fpu sse2 {flags}\n")
    assert _multiplies_bfloat16(tmp_path / "cpuinfo") is faster


def test_without_cpu_flags_the_dtype_is_float32(tmp_path: Path) -> None:
    assert not _multiplies_bfloat16(tmp_path / "nothing")


def test_an_explicit_precision_is_used() -> None:
    assert [compute_dtype(name) for name in ("float32", "bfloat16", "float16")] == [tf.float32, tf.bfloat16, tf.float16]
    assert compute_dtype("auto") in (tf.float32, tf.bfloat16, tf.float16)


@pytest.mark.parametrize("compute", [tf.float32, tf.bfloat16, tf.float16])
def test_a_product_keeps_the_dtype_of_its_first_factor(compute: tf.DType) -> None:
    a, b = (np.random.default_rng(i).normal(size=(5, 5)).astype(np.float32) for i in (0, 1))
    found = matrix_product(tf.constant(a), tf.constant(b), compute, transpose_b=True)
    assert found.dtype == tf.float32 and np.allclose(found, a @ b.T, atol=0.1 if compute != tf.float32 else 1e-5)


def test_only_a_transformer_on_a_gpu_is_compiled_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    lstm, transformer = TrainSettings(), TrainSettings(architecture="transformer")
    assert [uses_xla(s) for s in (lstm, transformer)] == [
        bool(tf.config.list_physical_devices("GPU")) and s is transformer for s in (lstm, transformer)
    ]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert [uses_xla(s) for s in (lstm, transformer)] == [False, True]
    assert not uses_xla(transformer.model_copy(update={"xla": "never"})) and uses_xla(lstm.model_copy(update={"xla": "always"}))


@pytest.mark.soak
def test_training_with_xla_gives_the_same_losses(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    losses = []
    for xla in ("always", "never"):
        toy = trainer(
            toy_corpus,
            toy_tokenizer,
            tmp_path / xla,
            architecture="transformer",
            layers=2,
            heads=2,
            ffn=16,
            max_steps=12,
            precision="float32",
            dropout=0.0,
            xla=xla,
        )
        losses.append([point["loss"] for point in toy.run().history])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
