"""A training step on several devices, and in float16 with loss scaling."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.train_model.training import train_step
from components.train_model.training.callbacks import Batch, Callback
from components.train_model.training.trainer import Trainer
from robo_poet.errors import BadInput
from tests.components.train_model.toy import Killed, optimizer_state, outcome, trainer

PROGRAM = """
import json, sys, tempfile
from contextlib import nullcontext
from pathlib import Path
import keras, numpy as np, tensorflow as tf
from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.checkpoint import Checkpoints
from components.train_model.training.train_step import make_strategy
from components.train_model.training.feed import Feed
from components.train_model.training.trainer import Trainer
from robo_poet.settings.train import TrainSettings

devices, wanted, architecture, precision, killed = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
settings = TrainSettings(embedding=16, units=24, layers=2, window=20, stride=20, batch=8, epochs=2, dropout=0.0, precision=precision,
    learning_rate=0.01, clipnorm=0.05, checkpoint_steps=4, architecture=architecture)
ids = np.random.default_rng(0).integers(4, 50, 2000).astype(np.uint16)
def feed(windows):
    return Feed(ids, np.arange(windows) * 20, np.full(windows, len(ids)), 20)

class Killed(Exception): pass
def train(folder, killed):
    keras.utils.set_random_seed(1)
    def report(step, steps, text):
        if killed and step > killed: raise Killed
    strategy = make_strategy(wanted)
    with strategy.scope() if strategy else nullcontext():
        model = ARCHITECTURES[architecture].build(settings, 50)
        # 41 windows: the last batch is one row, and one of two devices has none.
        trainer = Trainer(ARCHITECTURES[architecture], model, feed(41), feed(8), settings, seed=1, checkpoints=Checkpoints(Path(folder)), report=report, warn=print)
        try:
            progress = trainer.run()
        except Killed:
            progress = None
    if progress is None:
        return train(folder, 0)
    losses = [p["loss"] for p in progress.history] + [p["validation_perplexity"] for p in progress.history if "validation_perplexity" in p]
    return {"strategy": type(trainer.train_step).__name__, "losses": losses, "weights": [v.numpy().tolist() for v in model.trainable_variables]}
with tempfile.TemporaryDirectory() as folder:
    print(json.dumps(train(folder, killed)))
"""


def train(devices: int, wanted: int = 0, architecture: str = "lstm", precision: str = "float32", killed: int = 0) -> dict[str, object]:
    command = [sys.executable, "-c", PROGRAM, *map(str, (devices, wanted, architecture, precision, killed))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def alone() -> dict[str, object]:
    return train(1)


@pytest.mark.soak
def test_two_devices_give_the_result_of_one(alone: dict[str, object]) -> None:
    both = train(2)
    assert (alone["strategy"], both["strategy"]) == ("TrainStep", "MirroredTrainStep")
    assert both["losses"] == pytest.approx(alone["losses"], rel=1e-5)
    for ours, theirs in zip(both["weights"], alone["weights"], strict=True):  # type: ignore[call-overload]
        assert (
            ours == pytest.approx(theirs, abs=1e-3)
            if isinstance(ours[0], float)
            else all(row == pytest.approx(other, abs=1e-3) for row, other in zip(ours, theirs, strict=True))
        )


@pytest.mark.soak
def test_using_one_of_two_devices_equals_a_single_device(alone: dict[str, object]) -> None:
    assert train(2, wanted=1) == alone


@pytest.mark.soak
def test_two_devices_resume_bit_for_bit() -> None:
    assert train(2, killed=7) == train(2)


@pytest.mark.soak
@pytest.mark.parametrize("architecture", ["lstm", "transformer"])
def test_two_devices_train_in_float16(architecture: str) -> None:
    trained = train(2, architecture=architecture, precision="float16")
    assert trained["losses"] == pytest.approx(train(1, architecture=architecture, precision="float16")["losses"], rel=0.05)


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


def test_an_overflow_skips_the_step_and_halves_the_scale_and_finite_steps_double_it(
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


@pytest.mark.parametrize("killed_after", [pytest.param(n, marks=pytest.mark.soak) for n in (20, *range(1, 66, 5))])
def test_a_resumed_float16_training_equals_an_uninterrupted_one(
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


@pytest.mark.soak
def test_float16_learns_as_well_as_float32(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    ends = []
    for precision in ("float16", "float32"):
        progress = trainer(toy_corpus, toy_tokenizer, tmp_path / precision, precision=precision).run()
        ends.append(progress.history[-1]["validation_cross_entropy"])
    assert ends[0] == pytest.approx(ends[1], abs=0.02)


def test_an_overflow_with_the_smallest_scale_stops_training(
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
