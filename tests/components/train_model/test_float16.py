from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.train_model.architectures.projection import projected_cross_entropy
from components.train_model.training import train_step
from components.train_model.training.callbacks import Batch, Callback
from components.train_model.training.trainer import Trainer
from robo_poet.errors import BadInput
from tests.components.train_model.toy import Killed, optimizer_state, outcome, trainer

HALF = {"precision": "float16"}


class Scales(Callback):
    """Writes down the loss scale and the first weight after each step."""

    def __init__(self) -> None:
        self.scales: list[float] = []
        self.skipped: list[int] = []
        self.weights: list[bytes] = []

    def on_batch_end(self, training: Trainer, batch: Batch) -> None:
        self.scales.append(float(training.optimizer.dynamic_scale))
        self.weights.append(b"".join(v.numpy().tobytes() for v in training.model.trainable_variables))
        if not np.isfinite(batch.gradient_norm):
            self.skipped.append(training.progress.step)


def test_a_step_that_overflows_is_skipped_and_halves_the_scale_and_good_steps_double_it(
    toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_step, "INITIAL_SCALE", 2.0**34)  # beyond what a float16 holds
    monkeypatch.setattr(train_step, "GROWTH_STEPS", 5)
    seen = Scales()
    trainer(toy_corpus, toy_tokenizer, tmp_path, callbacks=lambda *_: [seen], max_steps=40, **HALF).run()
    assert seen.skipped[0] == 1 and len(seen.skipped) < 25
    good = 0
    for step, (before, after) in enumerate(zip([2.0**34, *seen.scales], seen.scales, strict=False), start=1):
        if step in seen.skipped:
            assert after == before / 2
            assert step == 1 or seen.weights[step - 1] == seen.weights[step - 2]
            good = 0
        else:
            good = (good + 1) % 5
            assert after == (before * 2 if good == 0 else before)
            assert step == 1 or seen.weights[step - 1] != seen.weights[step - 2]


def test_other_precisions_have_no_loss_scale(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    for precision in ("float32", "bfloat16"):
        assert not hasattr(trainer(toy_corpus, toy_tokenizer, tmp_path, precision=precision).optimizer, "dynamic_scale")


@pytest.mark.parametrize("killed_after", [20, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, 66, 5))])
def test_killed_and_resumed_is_uninterrupted_with_its_loss_scale(
    killed_after: int, toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_step, "GROWTH_STEPS", 8)
    whole = trainer(toy_corpus, toy_tokenizer, tmp_path / "whole", **HALF)
    expected = outcome(whole, whole.run())
    assert float(whole.optimizer.dynamic_scale) != train_step.INITIAL_SCALE
    with pytest.raises(Killed):
        trainer(toy_corpus, toy_tokenizer, tmp_path / "killed", killed_after, **HALF).run()
    again = trainer(toy_corpus, toy_tokenizer, tmp_path / "killed", **HALF)
    assert outcome(again, again.run()) == expected
    assert optimizer_state(again) == optimizer_state(whole)


def test_it_learns_as_in_float32(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    ends = []
    for precision in ("float16", "float32"):
        progress = trainer(toy_corpus, toy_tokenizer, tmp_path / precision, precision=precision).run()
        ends.append(progress.history[-1]["validation_cross_entropy"])
    assert ends[0] == pytest.approx(ends[1], abs=0.02)


def test_a_gradient_that_overflows_without_any_scale_stops(
    toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_step, "INITIAL_SCALE", 2.0)
    broken = trainer(toy_corpus, toy_tokenizer, tmp_path, **HALF)
    real = broken.train_step

    def overflowing(inputs: tf.Tensor, targets: tf.Tensor, step: int) -> Batch:
        batch = real(inputs, targets, step)
        broken.optimizer.dynamic_scale.assign(broken.optimizer.dynamic_scale.value / 2)
        return Batch(batch.loss, batch.nats, batch.tokens, float("inf"), batch.gradients)

    broken.train_step = overflowing  # type: ignore[assignment]
    with pytest.raises(BadInput, match=r"training step 2 of .*: the gradient norm is not finite"):
        broken.run()


def test_the_projection_keeps_gradients_that_a_float16_cannot_hold() -> None:
    """A token of probability 2e-8 still has its gradient, through the shift."""
    features, kernel = tf.ones([4, 8]), tf.Variable(tf.zeros([8, 3]))
    bias = tf.constant([0.0, 0.0, float(np.log(2e-8))])
    with tf.GradientTape() as tape:
        total, _, _ = projected_cross_entropy(features, kernel, bias, tf.ones([4], tf.int32), smoothing=0.0, compute=tf.float16)
    assert np.allclose(tape.gradient(total, kernel)[:, 2], 4 * 1e-8, rtol=0.1)
