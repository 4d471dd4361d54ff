import math
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.train_model.training.callbacks import Batch, Divergence, ProgressLine, duration
from components.train_model.training.trainer import Trainer
from robo_poet.errors import BadInput
from tests.components.train_model.toy import trainer


@pytest.fixture(scope="module")
def toy(toy_corpus: Path, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    return trainer(toy_corpus, toy_tokenizer, tmp_path_factory.mktemp("toy"))


def test_a_nan_loss_stops_training_without_a_checkpoint(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    broken = trainer(toy_corpus, toy_tokenizer, tmp_path)
    bias = broken.model.get_layer("logits").bias
    bias.assign(np.full(bias.shape, np.nan))
    where = r"training step 1 of \d+, epoch 1, batch 1 of \d+"
    with pytest.raises(BadInput, match=f"{where}: the loss is not finite; lower train.learning_rate or train.clipnorm"):
        broken.run()
    assert not (tmp_path / "last.npz").exists()


def test_exploding_weights_stop_training_with_step_and_batch(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    wild = trainer(toy_corpus, toy_tokenizer, tmp_path, learning_rate=1.0, clipnorm=1e6, epochs=50)
    for variable in wild.model.trainable_variables:
        variable.assign(variable.value * 300)
    with pytest.raises(BadInput, match=r"training step \d+ of \d+, epoch \d+, batch \d+ of \d+: the loss (diverged|is not finite)"):
        wild.run()


@pytest.mark.parametrize(
    "loss, norm, what",
    [(math.inf, 1.0, "the loss is not finite"), (math.nan, 1.0, "the loss is not finite"), (80.0, 1.0, "diverged: 80.0 nats per token, above the limit of 58"),
     (3.0, math.nan, "the gradient norm is not finite"), (3.0, math.inf, "the gradient norm is not finite")],
)  # fmt: skip
def test_each_kind_of_divergence_has_its_message(loss: float, norm: float, what: str, toy: Trainer) -> None:
    toy.progress.step = toy.per_epoch + 3
    with pytest.raises(BadInput, match=f"epoch 2, batch 3 of {toy.per_epoch}: .*{what}"):
        Divergence().on_batch_end(toy, Batch(loss, loss, 100.0, norm, []))


def test_an_ordinary_step_is_no_divergence(toy: Trainer) -> None:
    Divergence().on_batch_end(toy, Batch(math.log(320), 5.0, 100.0, 2.0, [tf.zeros([1])]))


def test_a_nan_validation_loss_stops_training(toy: Trainer) -> None:
    with pytest.raises(BadInput, match="the validation loss is not finite"):
        Divergence().on_validation_end(toy, {"validation_cross_entropy": math.nan})


def test_the_first_step_gives_no_time_left_because_it_compiles(toy: Trainer, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(toy, "report", lambda step, steps, text: lines.append(text))
    seconds = iter([100.0, 102.0])  # at the end of the first step, and of the next check
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    line, progress = ProgressLine(), toy.progress
    progress.step = progress.tokens = 0
    line.on_begin(toy)
    for _ in range(2):
        progress.step, progress.tokens = progress.step + 1, progress.tokens + 100
        line.on_batch_end(toy, Batch(2.0, 2.0, 0.5, 0.7, []))
    assert "time left not known yet" in lines[0] and "tokens/s" not in lines[0]
    left = duration(2 * (toy.steps - 2))  # 50 tokens a second, 100 tokens a step
    assert f"step 2/{toy.steps} · {left} left · loss 2.000" in lines[1] and lines[1].endswith(" · 50 tokens/s")


@pytest.mark.parametrize("seconds, text", [(0, "0:00"), (67, "1:07"), (3599, "59:59"), (3600, "1:00:00"), (40_000, "11:06:40")])
def test_durations_are_formatted_with_minutes_and_hours(seconds: int, text: str) -> None:
    assert duration(seconds) == text
