"""Callbacks that log for TensorBoard: loss, perplexity, accuracy, optimizer, speed, GPU memory, histograms and the embedding (TRAIN-4).

`tensorboard_callbacks` returns these callbacks in the required order. They do not change the model.
"""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.train_model.tensorboard_logs.event_file import EventFile
from components.train_model.tensorboard_logs.generation_samples import GenerationSamples
from components.train_model.training.callbacks import Batch, Callback, Training, lowered_rate
from robo_poet.atomic import new_file, write_text
from robo_poet.model.tokenizer import CONTROL, Tokenizer
from robo_poet.settings.train import TrainSettings


class BatchLoss(Callback):
    """A callback that logs `batch/loss`, in nats per token, at each step."""

    def __init__(self, events: EventFile) -> None:
        self._events = events

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        self._events.scalar("batch/loss", batch.loss, training.progress.step)


PERPLEXITY_NOTE = "perplexity"


class Perplexity(Callback):
    """A callback that logs `loss` and `perplexity/train`, and `perplexity/validation` and `cross_entropy/validation`.

    The training values are means per token over the last `steps` steps. Perplexity is exp of the unsmoothed cross-entropy (TRAIN-2), so
    it differs from exp(`loss`) if labels are smoothed. Dropout is on in training and off in validation, so a training perplexity above
    the validation perplexity is not an error.
    """

    def __init__(self, events: EventFile, steps: int) -> None:
        self._events, self._steps = events, steps

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        notes, step = training.progress.notes, training.progress.step
        loss, nats, tokens = notes.get(PERPLEXITY_NOTE, [0.0, 0.0, 0.0])  # in checkpoints, so that a resume loses no step of the mean
        sums = [loss + batch.loss * batch.tokens, nats + batch.nats * batch.tokens, tokens + batch.tokens]
        if step % self._steps == 0 and sums[2]:
            self._events.scalar("loss", sums[0] / sums[2], step)
            self._events.scalar("perplexity/train", math.exp(min(700.0, sums[1] / sums[2])), step)
            sums = [0.0, 0.0, 0.0]
        notes[PERPLEXITY_NOTE] = sums

    def on_validation_end(self, training: Training, point: Mapping[str, Any]) -> None:
        self._events.scalar("perplexity/validation", point["validation_perplexity"], training.progress.step)
        self._events.scalar("cross_entropy/validation", point["validation_cross_entropy"], training.progress.step)


ACCURACY_NOTE = "accuracy"


class Accuracy(Callback):
    """A callback that logs `accuracy` and `top5_accuracy` of training and validation: shares of correct non-PAD tokens (TRAIN-2).

    The training values are means over the last `steps` steps, with dropout.
    """

    def __init__(self, events: EventFile, steps: int) -> None:
        self._events, self._steps = events, steps

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        notes, step = training.progress.notes, training.progress.step
        hits, top_hits, tokens = notes.get(ACCURACY_NOTE, [0.0, 0.0, 0.0])
        sums = [hits + batch.accuracy * batch.tokens, top_hits + batch.top5_accuracy * batch.tokens, tokens + batch.tokens]
        if step % self._steps == 0 and sums[2]:
            self._events.scalar("accuracy/train", sums[0] / sums[2], step)
            self._events.scalar("top5_accuracy/train", sums[1] / sums[2], step)
            sums = [0.0, 0.0, 0.0]
        notes[ACCURACY_NOTE] = sums

    def on_validation_end(self, training: Training, point: Mapping[str, Any]) -> None:
        self._events.scalar("accuracy/validation", point["validation_accuracy"], training.progress.step)
        self._events.scalar("top5_accuracy/validation", point["validation_top5_accuracy"], training.progress.step)


class Optimisation(Callback):
    """A callback that logs `learning_rate`, `gradient_norm` (before clipping) and, in float16, `loss_scale` every `steps` steps.

    A lower learning rate is also a text, `learning rate lowered`.
    """

    def __init__(self, events: EventFile, steps: int) -> None:
        self._events, self._steps = events, steps

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        step = training.progress.step
        if step % self._steps:
            return
        self._events.scalar("learning_rate", training.progress.schedule.learning_rate, step)
        self._events.scalar("gradient_norm", batch.gradient_norm, step)
        if isinstance(training.optimizer, keras.optimizers.LossScaleOptimizer):
            self._events.scalar("loss_scale", float(training.optimizer.dynamic_scale), step)

    def on_validation_end(self, training: Training, point: Mapping[str, Any]) -> None:
        if text := lowered_rate(training, point):
            self._events.text("learning rate lowered", text, training.progress.step)


class Throughput(Callback):
    """A callback that logs `tokens_per_second` over the last `steps` steps, including validations and checkpoints."""

    def __init__(self, events: EventFile, steps: int) -> None:
        self._events, self._steps = events, steps
        self._since, self._tokens = 0.0, 0

    def on_begin(self, training: Training) -> None:
        self._since, self._tokens = time.monotonic(), training.progress.tokens

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        step, tokens = training.progress.step, training.progress.tokens
        if step % self._steps == 0:
            now = time.monotonic()
            self._events.scalar("tokens_per_second", (tokens - self._tokens) / max(1e-6, now - self._since), step)
            self._since, self._tokens = now, tokens


def gpu_memory() -> Mapping[str, Mapping[str, int]]:
    """Return `{"GPU:0": {"current": bytes, "peak": bytes}}`, or an empty dict if there is no GPU.

    The numbers include TensorFlow's allocations in this process, but not the memory that CUDA itself uses.
    """
    names = [f"GPU:{number}" for number in range(len(tf.config.list_logical_devices("GPU")))]
    return {name: tf.config.experimental.get_memory_info(name) for name in names}


class GpuMemory(Callback):
    """A callback that logs `gpu_memory_mb/GPU:0/current` and `…/peak` every `steps` steps, in MB (10⁶ bytes).

    Without a GPU it logs nothing.

    Args:
        events: the event file.
        steps: steps between two entries.
        measure: replaces `gpu_memory` in tests.
    """

    def __init__(self, events: EventFile, steps: int, measure: Callable[[], Mapping[str, Mapping[str, int]]] = gpu_memory) -> None:
        self._events, self._steps, self._measure = events, steps, measure

    def on_batch_end(self, training: Training, batch: Batch) -> None:
        if training.progress.step % self._steps:
            return
        for device, memory in self._measure().items():
            for kind in ("current", "peak"):
                self._events.scalar(f"gpu_memory_mb/{device}/{kind}", memory[kind] / 1e6, training.progress.step)


class Histograms(Callback):
    """A callback that logs `weights/<variable>` and `gradients/<variable>` at the end of each epoch.

    The gradients are those of the last batch, before clipping.
    """

    def __init__(self, events: EventFile) -> None:
        self._events = events

    def on_epoch_end(self, training: Training, batch: Batch) -> None:
        step = training.progress.step
        for variable, gradient in zip(training.model.trainable_variables, batch.gradients, strict=True):
            self._events.histogram(f"weights/{variable.path}", variable.numpy(), step)
            values = np.asarray(gradient)
            if np.isfinite(values).all():  # a skipped float16 step has non-finite gradients
                self._events.histogram(f"gradients/{variable.path}", values, step)


PROJECTOR_CONFIG = """embeddings {
  tensor_name: "token embedding"
  tensor_path: "embedding.tsv"
  metadata_path: "tokens.tsv"
}
"""


class EmbeddingProjector(Callback):
    """A callback that writes the embedding files at the end of each epoch and of the training.

    The files are `projector_config.pbtxt`, `embedding.tsv` (one row per token) and `tokens.tsv`. Ids that the tokenizer does not use are
    omitted. The format is TSV, not a checkpoint, because TensorBoard without TensorFlow can read it.
    """

    def __init__(self, folder: Path, tokenizer: Tokenizer) -> None:
        self._folder, self._tokenizer = folder, tokenizer

    def on_epoch_end(self, training: Training, batch: Batch) -> None:
        self._write(training)

    def on_end(self, training: Training) -> None:
        self._write(training)

    def _write(self, training: Training) -> None:
        table = embedding_table(training.model, self._tokenizer.vocabulary)
        with new_file(self._folder / "embedding.tsv") as temporary:
            np.savetxt(temporary, table[: self._tokenizer.size], "%.5g", delimiter="\t")
        write_text(
            self._folder / "tokens.tsv", "token\tid\n" + "".join(f"{name}\t{i}\n" for i, name in enumerate(token_names(self._tokenizer)))
        )
        write_text(self._folder / "projector_config.pbtxt", PROJECTOR_CONFIG)


def embedding_table(model: Any, vocabulary: int) -> Any:
    """Return the input embedding `[vocabulary, width]`: the first trainable matrix with `vocabulary` rows, for any architecture."""
    return next(v for v in model.trainable_variables if len(v.shape) == 2 and v.shape[0] == vocabulary).numpy()


def token_names(tokenizer: Tokenizer) -> list[str]:
    """Return a display name for each token id: its text with visible whitespace, `(part of a character)` for incomplete UTF-8."""
    labels = []
    for token in range(tokenizer.size):
        text = CONTROL[token] if token < len(CONTROL) else tokenizer.decode([token])
        text = "(part of a character)" if "\ufffd" in text else text.replace(" ", "␣")
        labels.append("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))
    return labels


def tensorboard_callbacks(folder: Path, settings: TrainSettings, tokenizer: Tokenizer) -> list[Callback]:
    """Return the callbacks that write into `folder`. They do not change the model."""
    events, steps = EventFile(folder, settings.log_steps), settings.log_steps
    return [
        events,
        BatchLoss(events),
        Perplexity(events, steps),
        Accuracy(events, steps),
        Optimisation(events, steps),
        Throughput(events, steps),
        GpuMemory(events, steps),
        Histograms(events),
        EmbeddingProjector(folder, tokenizer),
        GenerationSamples(events, settings.sample_steps, tokenizer),
    ]
