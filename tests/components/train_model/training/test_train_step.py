import json
import subprocess
import sys

import pytest

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
    def say(step, steps, text):
        if killed and step > killed: raise Killed
    strategy = make_strategy(wanted)
    with strategy.scope() if strategy else nullcontext():
        model = ARCHITECTURES[architecture].build(settings, 50)
        # 41 windows: the last batch is one row, and one of two devices has none.
        trainer = Trainer(ARCHITECTURES[architecture], model, feed(41), feed(8), settings, seed=1, checkpoints=Checkpoints(Path(folder)), say=say, warn=print)
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


def test_two_devices_make_of_a_batch_what_one_makes(alone: dict[str, object]) -> None:
    both = train(2)
    assert (alone["strategy"], both["strategy"]) == ("TrainStep", "MirroredTrainStep")
    assert both["losses"] == pytest.approx(alone["losses"], rel=1e-5)
    for ours, theirs in zip(both["weights"], alone["weights"], strict=True):  # type: ignore[call-overload]
        assert (
            ours == pytest.approx(theirs, abs=1e-3)
            if isinstance(ours[0], float)
            else all(row == pytest.approx(other, abs=1e-3) for row, other in zip(ours, theirs, strict=True))
        )


def test_one_device_of_two_is_the_single_device(alone: dict[str, object]) -> None:
    assert train(2, wanted=1) == alone


@pytest.mark.soak
def test_two_devices_resume_bit_for_bit() -> None:
    assert train(2, killed=7) == train(2)


@pytest.mark.soak
@pytest.mark.parametrize("architecture", ["lstm", "transformer"])
def test_two_devices_train_in_float16(architecture: str) -> None:
    trained = train(2, architecture=architecture, precision="float16")
    assert trained["losses"] == pytest.approx(train(1, architecture=architecture, precision="float16")["losses"], rel=0.05)
