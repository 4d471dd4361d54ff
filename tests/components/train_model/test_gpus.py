import os
from types import SimpleNamespace

import pytest
import tensorflow as tf

from components.train_model.gpus import prepare_gpus
from components.train_model.precision import compute_type


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object, object]]:
    """What TensorFlow would be told, with two cards that are not there."""
    told: list[tuple[str, object, object]] = []
    cards = [SimpleNamespace(name=f"/physical_device:GPU:{i}", device_type="GPU") for i in range(2)]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: cards if kind == "GPU" else [])
    monkeypatch.setattr(
        tf.config,
        "set_logical_device_configuration",
        lambda card, limits: told.append(("limit", card.name, [x.memory_limit for x in limits])),
    )
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda card, growth: told.append(("growth", card.name, growth)))
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    return told


def test_each_card_is_limited_in_mebibytes_and_grows(asked: list[tuple[str, object, object]]) -> None:
    assert prepare_gpus(7200) == 2
    assert asked == [("limit", f"/physical_device:GPU:{i}", [6866]) for i in range(2)]  # 7.2e9 / 2^20
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_without_a_limit_each_card_grows(asked: list[tuple[str, object, object]]) -> None:
    assert prepare_gpus(0) == 2
    assert asked == [("growth", f"/physical_device:GPU:{i}", True) for i in range(2)]


def test_a_gpu_computes_in_float16_unless_told_otherwise(asked: list[tuple[str, object, object]]) -> None:
    assert compute_type("auto") == tf.float16
    assert compute_type("float32") == tf.float32


def test_without_a_gpu_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)
    assert prepare_gpus(7200) == 0
    assert "TF_FORCE_GPU_ALLOW_GROWTH" not in os.environ
    assert compute_type("auto") in (tf.float32, tf.bfloat16)
