from pathlib import Path

import pytest
import tensorflow as tf

from components.train_model.xla import compiles
from robo_poet.settings.train import TrainSettings
from tests.components.train_model.toy import trainer


def test_only_a_transformer_on_a_gpu_is_compiled_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    lstm, transformer = TrainSettings(), TrainSettings(architecture="transformer")
    assert [compiles(s) for s in (lstm, transformer)] == [
        bool(tf.config.list_physical_devices("GPU")) and s is transformer for s in (lstm, transformer)
    ]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert [compiles(s) for s in (lstm, transformer)] == [False, True]
    assert not compiles(transformer.model_copy(update={"xla": "never"})) and compiles(lstm.model_copy(update={"xla": "always"}))


def test_compiled_it_trains_the_same(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
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
