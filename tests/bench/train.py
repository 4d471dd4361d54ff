"""Training steps of full-size models on random tokens: ours beside Keras' `fit` in float32, and each one's peak memory alone."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.hardware import compute_dtype
from components.train_model.training.train_step import TrainStep, make_optimizer
from robo_poet.settings.train import TrainSettings
from tests.bench.frame import Row, apart, in_turns, peak_memory

VOCABULARY, STEPS = 10_000, 6  # steps a measured call
MEGABYTE_TOKENS = 270_000  # of 1 MB of English verse at 10,000 tokens a vocabulary: what an epoch's time is derived from


def batches(settings: TrainSettings) -> tuple[Any, Any]:
    """Inputs and targets of `STEPS` batches, `[steps, batch, window]` int32, no padding."""
    span = np.random.default_rng(0).integers(4, VOCABULARY, (STEPS, settings.batch, settings.window + 1)).astype(np.int32)
    return span[..., :-1], span[..., 1:]


def ours(settings: TrainSettings) -> Callable[[], Any]:
    """The trainer's own step, smoothed loss, clipping and update included."""
    keras.utils.set_random_seed(1)
    architecture = ARCHITECTURES[settings.architecture]
    model = architecture.build(settings, VOCABULARY)
    compute = compute_dtype(settings.precision)
    optimizer = make_optimizer(settings, compute)
    optimizer.build(model.trainable_variables)
    step = TrainStep(architecture, model, optimizer, settings, compute, 1)
    inputs, targets = (tf.constant(part) for part in batches(settings))

    def call() -> None:
        for number in range(STEPS):
            step(inputs[number], targets[number], number)

    return call


def keras_fit(settings: TrainSettings) -> Callable[[], Any]:
    """The same model and optimizer, as a Keras user trains them; Keras' own choice of compilation."""
    keras.utils.set_random_seed(1)
    model = ARCHITECTURES[settings.architecture].build(settings, VOCABULARY)
    optimizer = keras.optimizers.AdamW(settings.learning_rate, weight_decay=settings.weight_decay, clipnorm=settings.clipnorm)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    feed = tf.data.Dataset.from_tensor_slices(batches(settings)).repeat().prefetch(2)
    return lambda: model.fit(feed, steps_per_epoch=STEPS, verbose=0, shuffle=False)


def peak(way: str, architecture: str) -> float:
    """Peak resident megabytes of a process that trains so and does nothing else."""
    return float(apart("tests.bench.train", way, architecture)["megabytes"])


def watts() -> float | None:
    """What the GPU draws, where there is one."""
    if not shutil.which("nvidia-smi"):
        return None
    query = ["nvidia-smi", "--query-gpu=power.draw", "--format=csv,noheader,nounits"]
    done = subprocess.run(query, capture_output=True, text=True)
    return sum(float(line) for line in done.stdout.split()) if done.returncode == 0 else None


def drawn(call: Callable[[], Any]) -> float | None:
    """Mean watts of the GPU while `call` runs for some seconds."""
    if watts() is None:
        return None
    seen: list[float] = []
    end = time.monotonic() + 5
    worker = threading.Thread(target=lambda: [call() for _ in iter(lambda: time.monotonic() < end, False)])
    worker.start()
    while worker.is_alive():
        seen.append(watts() or 0.0)
        time.sleep(0.2)
    return sum(seen) / len(seen)


def run() -> list[Row]:
    """Tokens and samples a second, an epoch's time, the gain of half-size products, peak memory, on a GPU samples a watt."""
    rows = []
    for name in ("lstm", "transformer"):
        plain = TrainSettings.model_validate({"architecture": name, "precision": "float32"})
        fast = TrainSettings.model_validate({"architecture": name, "precision": "auto"})
        tokens = STEPS * plain.batch * plain.window
        mixed = ours(fast)
        case, kind = f"{name} {plain.batch}x{plain.window}", compute_dtype("auto").name
        same = kind == "float32"  # this machine is no faster in half precision
        seconds = in_turns({"keras": keras_fit(plain), "auto": mixed, **({} if same else {"float32": ours(plain)})}, rounds=5)
        speed = {key: tokens / taken for key, taken in seconds.items()}
        rows += [
            Row(f"{case} {kind}", "tokens/s", speed["auto"], "keras fit fp32", speed["keras"]),
            Row(f"{case} {kind}", "samples/s", speed["auto"] / plain.window, "keras fit fp32", speed["keras"] / plain.window),
            Row(
                f"{case} epoch of 1 MB, stride 50",
                "s",
                2 * MEGABYTE_TOKENS / speed["auto"],
                "keras fit fp32",
                2 * MEGABYTE_TOKENS / speed["keras"],
            ),
            Row(f"{case} peak memory", "MB", peak("ours", name), "keras fit fp32", peak("keras", name)),
        ]
        if not same:
            rows += [
                Row(f"{case} float32", "tokens/s", speed["float32"], "keras fit fp32", speed["keras"]),
                Row(f"{case} gain of {kind}", "tokens/s", speed["auto"], "ours in float32", speed["float32"]),
            ]
        if (power := drawn(mixed)) is not None:
            rows.append(Row(f"{case} {kind}", "samples/s/watt", speed["auto"] / plain.window / power))
    return rows


if __name__ == "__main__":
    way, architecture = sys.argv[1:]
    chosen = TrainSettings.model_validate({"architecture": architecture, "precision": "auto" if way == "ours" else "float32"})
    (ours if way == "ours" else keras_fit)(chosen)()
    print(json.dumps({"megabytes": peak_memory()}))
