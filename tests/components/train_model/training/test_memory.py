import json
import subprocess
import sys
from typing import Any

import pytest

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.training.memory import estimate_memory, gpu_memory_warning
from pipelines.profile.load import load_profile
from robo_poet.settings.train import TrainSettings

MEASURED = """
import json, resource, sys, tempfile
from pathlib import Path
import numpy as np, tensorflow as tf
from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.checkpoint import Checkpoints
from components.train_model.training.feed import Feed
from components.train_model.training.memory import estimate_memory
from components.train_model.training.trainer import Trainer
from robo_poet.settings.train import TrainSettings

settings, vocabulary = TrainSettings.model_validate_json(sys.argv[1]), int(sys.argv[2])
ids = np.random.default_rng(0).integers(4, vocabulary, 100_000).astype(np.uint16)
def feed(windows):
    return Feed(ids, np.arange(windows) * settings.window, np.full(windows, len(ids)), settings.window)
float(tf.reduce_sum(tf.matmul(tf.ones([64, 64]), tf.ones([64, 64]))))  # what TensorFlow takes before any of ours
before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
model = ARCHITECTURES[settings.architecture].build(settings, vocabulary)
with tempfile.TemporaryDirectory() as folder:
    trainer = Trainer(ARCHITECTURES[settings.architecture], model, feed(settings.batch * 4), feed(settings.batch), settings, seed=1,
        checkpoints=Checkpoints(Path(folder)), report=lambda *_: None, warn=print)
    for step, batch in enumerate(trainer.feed.epoch(settings.batch, seed=1, epoch=0)):
        trainer.train_step(*batch, step)
# Not ru_maxrss: across a fork and exec that begins with the parent's peak, here the test runner's.
peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
print(json.dumps([peak - before, estimate_memory(settings, model.count_params(), vocabulary).total]))
"""


@pytest.mark.parametrize(
    "settings, vocabulary",
    [pytest.param({}, 10_000, marks=pytest.mark.soak), pytest.param({"architecture": "transformer"}, 10_000, marks=pytest.mark.soak), pytest.param({"batch": 128}, 10_000, marks=pytest.mark.soak),
     pytest.param({"architecture": "transformer", "batch": 128}, 10_000, marks=pytest.mark.soak), ({"embedding": 32, "units": 64}, 512)],
)  # fmt: skip
def test_the_estimate_is_within_50_percent_of_measured_memory(settings: dict[str, Any], vocabulary: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, json.dumps(settings), str(vocabulary)], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    measured, estimated = json.loads(done.stdout.splitlines()[-1])
    assert 0.5 < estimated / measured < 1.5, (estimated / 1e6, measured / 1e6)


@pytest.mark.parametrize("architecture", ["lstm", "transformer"])
def test_the_full_model_fits_a_gpu_of_8_gb(architecture: str) -> None:
    settings = load_profile("rtx", [f"train.architecture={architecture}"]).profile.train
    model = ARCHITECTURES[architecture].build(settings, 10_000)
    memory = estimate_memory(settings, model.count_params(), 10_000, windows=200_000)
    assert memory.total < 7.2e9 and gpu_memory_warning(memory, settings, 1) == ""
    assert memory.weights == 4 * model.count_params()


def test_a_training_above_the_gpu_limit_is_a_warning() -> None:
    wide = TrainSettings(units=4096, batch=512, window=512, stride=512)
    memory = estimate_memory(wide, 200_000_000, 10_000)
    assert "more than the limit train.gpu_memory_mb of 7.2 GB; lower train.batch" in gpu_memory_warning(memory, wide, 1)
    assert gpu_memory_warning(memory, wide, 0) == gpu_memory_warning(memory, wide.model_copy(update={"gpu_memory_mb": 0}), 1) == ""


def test_larger_settings_need_more_memory() -> None:
    base = estimate_memory(TrainSettings(), 4_769_552, 10_000)
    for change in ({"batch": 64}, {"window": 200}, {"units": 512}, {"layers": 3}):
        assert estimate_memory(TrainSettings(**change), 4_769_552, 10_000).total > base.total
    assert estimate_memory(TrainSettings(), 4_769_552, 10_000, windows=10**6).total > base.total
    assert str(base).startswith("about ") and "weights 19," in str(base)
