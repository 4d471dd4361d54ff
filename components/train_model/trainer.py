"""The training loop (TRAIN-1, TRAIN-2): resumable at any step, to the same result."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import keras
import tensorflow as tf

from components.train_model.architecture import Architecture
from components.train_model.checkpoint import Checkpoints, Damaged
from components.train_model.feed import Feed
from components.train_model.precision import compute_type
from components.train_model.projection import projected_cross_entropy
from components.train_model.schedule import Schedule
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings

RECORD_STEPS = 10  # a point of the training curve
SEEDS_A_STEP = 64  # more than any model has dropout layers


@dataclass
class Progress:
    """Where a training stands; with the variables, all that a checkpoint holds."""

    schedule: Schedule
    history: list[dict[str, Any]]
    step: int = 0
    tokens: int = 0
    loss_sum: float = 0.0
    loss_tokens: float = 0.0
    best_step: int = 0


class Trainer:
    """Trains `model` in place and leaves it with the weights of its best validation.

    Args:
        architecture: that `model` was built by.
        feed: the training split.
        validation: the validation split, windows that do not overlap.
        say: called with (step, steps, text) as the work goes on.
        warn: called with what a person should know.
    """

    def __init__(
        self, architecture: Architecture, model: keras.Model, feed: Feed, validation: Feed, settings: TrainSettings, *,
        seed: int, checkpoints: Checkpoints, say: Callable[[int, int, str], None], warn: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.architecture, self.model, self.feed, self.validation, self.settings = architecture, model, feed, validation, settings
        self.compute = compute_type(settings.precision)
        self.seed, self.checkpoints, self.say, self.warn = seed, checkpoints, say, warn
        self.optimizer = keras.optimizers.AdamW(
            settings.learning_rate, beta_1=settings.beta_1, beta_2=settings.beta_2, epsilon=settings.epsilon,
            weight_decay=settings.weight_decay, clipnorm=settings.clipnorm,
        )  # fmt: skip
        self.optimizer.build(model.trainable_variables)
        self.per_epoch = feed.batches(settings.batch)
        self.steps = min(settings.epochs * self.per_epoch, settings.max_steps or math.inf)
        self.validate_every = settings.validate_steps or self.per_epoch
        self._train_step = tf.function(self._gradient_step, reduce_retracing=True)
        self._validate_step = tf.function(self._cross_entropy, reduce_retracing=True)

    def run(self) -> Progress:
        """Train to the end, from the last checkpoint if there is one.

        Raises:
            BadInput: the loss stopped being a number.
        """
        progress = self._restore() or Progress(Schedule(self.settings.learning_rate), [])
        began, began_tokens = time.monotonic(), progress.tokens
        for inputs, targets in self._batches(progress.step):
            if progress.schedule.finished(self.settings):
                break
            self.optimizer.learning_rate.assign(progress.schedule.learning_rate)
            total, count = (float(value) for value in self._train_step(inputs, targets, tf.constant(progress.step)))
            progress.step += 1
            progress.tokens += int(count)
            progress.loss_sum += total
            progress.loss_tokens += count
            if not math.isfinite(total):
                raise BadInput(
                    "the loss is not a number", where=f"training step {progress.step} of {self.steps}",
                    remedy="lower train.learning_rate or train.clipnorm",
                )  # fmt: skip
            self._report(progress, (progress.tokens - began_tokens) / (time.monotonic() - began))
            self._record(progress)
        self._take_best(progress.best_step)
        return progress

    def _take_best(self, step: int) -> None:
        """Give the model the weights of its best validation; none was a number: those it has."""
        if not step:
            return
        try:
            best = self.checkpoints.load("best", [tuple(v.shape) for v in self.model.variables])
        except Damaged as damage:
            best = None
            self.warn(str(damage))
        if not best or best[1]["step"] != step:
            remedy = "remove that folder and run again"
            raise BadInput(f"the weights of the best validation, step {step}, are gone", where=str(self.checkpoints.folder), remedy=remedy)
        _assign(self.model.variables, best[0])

    def _record(self, progress: Progress) -> None:
        """Take down a point of the curve, validate, save: each at its steps."""
        step, last = progress.step, progress.step == self.steps
        validates = step % self.validate_every == 0 or last
        if step % RECORD_STEPS == 0 or validates:
            point = {
                "step": step, "epoch": round(step / self.per_epoch, 4), "tokens": progress.tokens,
                "loss": progress.loss_sum / max(1.0, progress.loss_tokens), "learning_rate": progress.schedule.learning_rate,
            }  # fmt: skip
            progress.loss_sum = progress.loss_tokens = 0.0
            if validates:
                nats = self.validation_cross_entropy()
                perplexity = math.exp(min(nats, 700.0))  # beyond that a float has no number
                point |= {"validation_cross_entropy": nats, "validation_perplexity": perplexity}
                progress.schedule = progress.schedule.after(perplexity, self.settings)
                if progress.schedule.improved():
                    progress.best_step = step
                    self.checkpoints.save("best", [v.numpy() for v in self.model.variables], {"step": step})
            progress.history.append(point)
        if validates or step % self.settings.checkpoint_steps == 0:
            self._save(progress)

    def validation_cross_entropy(self) -> float:
        """Unsmoothed cross-entropy of the validation split, nats a token."""
        total = count = 0.0
        for inputs, targets in self.validation.in_order(self.settings.batch):
            nats, tokens = self._validate_step(inputs, targets)
            total, count = total + float(nats), count + float(tokens)
        return total / count

    def _batches(self, step: int) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        while step < self.steps:
            epoch, skip = divmod(step, self.per_epoch)
            for batch in self.feed.epoch(self.settings.batch, seed=self.seed, epoch=epoch, skip=skip):
                if step >= self.steps:
                    return
                yield batch
                step += 1

    def _gradient_step(self, inputs: tf.Tensor, targets: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            seed = tf.stack([self.seed, step * SEEDS_A_STEP])
            total, count = self._cross_entropy(inputs, targets, seed, self.settings.label_smoothing)
            loss = total / tf.maximum(count, 1.0)
        self.optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)
        return total, count

    def _cross_entropy(
        self, inputs: tf.Tensor, targets: tf.Tensor, dropout_seed: tf.Tensor | None = None, smoothing: float = 0.0
    ) -> tuple[tf.Tensor, tf.Tensor]:
        features = self.architecture.features(self.model, inputs, self.compute, dropout_seed)
        kernel, bias = self.architecture.head(self.model)
        return projected_cross_entropy(features, kernel, bias, tf.reshape(targets, [-1]), smoothing=smoothing, compute=self.compute)

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]

    def _save(self, progress: Progress) -> None:
        self.checkpoints.save("last", [v.numpy() for v in self._variables()], asdict(progress))

    def _restore(self) -> Progress | None:
        try:
            loaded = self.checkpoints.load("last", [tuple(v.shape) for v in self._variables()])
        except Damaged as damage:
            self.warn(f"training starts over: the checkpoint {damage}")
            return None
        if not loaded:
            return None
        values, state = loaded
        _assign(self._variables(), values)
        self.say(state["step"], int(self.steps), f"going on from the checkpoint of step {state['step']}")
        return Progress(**{**state, "schedule": Schedule(**state["schedule"])})

    def _report(self, progress: Progress, speed: float) -> None:
        loss = progress.loss_sum / max(1.0, progress.loss_tokens)
        left = int((self.steps - progress.step) * progress.tokens / progress.step / max(1.0, speed))
        best = f" · validation {progress.schedule.best:.1f}" if progress.schedule.best < math.inf else ""
        self.say(
            progress.step, int(self.steps),
            f"step {progress.step}/{self.steps} · loss {loss:.3f}{best} · {speed:,.0f} tokens/s · {left // 60}:{left % 60:02d} left",
        )  # fmt: skip


def _assign(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
