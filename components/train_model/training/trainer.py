"""The training loop (TRAIN-1, TRAIN-2). It can resume from any checkpoint and then gives the same result."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from components.train_model.architectures.architecture import Architecture
from components.train_model.checkpoint import Checkpoints, DamagedCheckpoint
from components.train_model.hardware import compute_dtype
from components.train_model.training.callbacks import Batch, Callback, Divergence, EarlyStopping, LearningRateLine, ProgressLine
from components.train_model.training.feed import Feed
from components.train_model.training.progress import Progress, Schedule
from components.train_model.training.train_step import MirroredTrainStep, TrainStep, make_optimizer
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings

RECORD_STEPS = 10  # steps between two points of the training curve


class Trainer:
    """A training loop that trains `model` in place and leaves it with the weights of the best validation.

    Under a strategy's scope it trains on all devices of the strategy.

    Args:
        architecture: the architecture that built `model`.
        model: the model that is trained.
        feed: windows of the training split.
        validation: windows of the validation split; they must not overlap.
        settings: section `train` of the profile.
        seed: decides dropout and the order of the batches.
        checkpoints: where to save to and resume from.
        report: called with (step, steps, text) to report progress.
        warn: called with a warning for the user.
        callbacks: further callbacks; they do not change the result.
        note: called with an event for the user, such as a lower learning rate.

    Attributes:
        progress: step, schedule and history; what a checkpoint stores.
        steps: number of steps without early stopping.
        per_epoch: number of steps per epoch.
        stopping: a callback sets it to end the training before the next step.
    """

    def __init__(
        self, architecture: Architecture, model: keras.Model, feed: Feed, validation: Feed, settings: TrainSettings, *,
        seed: int, checkpoints: Checkpoints, report: Callable[[int, int, str], None], warn: Callable[[str], None],
        callbacks: Sequence[Callback] = (), note: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        self.architecture, self.model, self.feed, self.validation, self.settings = architecture, model, feed, validation, settings
        self.compute = compute_dtype(settings.precision)
        self.seed, self.checkpoints, self.report, self.warn, self.note = seed, checkpoints, report, warn, note
        strategy = tf.distribute.get_strategy() if tf.distribute.has_strategy() else None
        self.optimizer = make_optimizer(settings, self.compute, strategy.num_replicas_in_sync if strategy else 1)
        self.optimizer.build(model.trainable_variables)
        arguments = (architecture, model, self.optimizer, settings, self.compute, seed)
        self.train_step = MirroredTrainStep(strategy, *arguments) if strategy else TrainStep(*arguments)
        self.per_epoch = feed.batches(settings.batch)
        self.steps = min(settings.epochs * self.per_epoch, settings.max_steps or settings.epochs * self.per_epoch)
        self.validate_every = settings.validate_steps or self.per_epoch
        self.callbacks: list[Callback] = [Divergence(), ProgressLine(), LearningRateLine(), EarlyStopping(), *callbacks]
        self.progress = Progress(Schedule(settings.learning_rate), [])
        self.stopping = False

    def run(self) -> Progress:
        """Train to the end, starting from the last checkpoint if there is one. Return the final progress.

        Raises:
            BadInput: the training diverged, or the weights with the best validation loss are missing.
        """
        self._resume()
        self._call_callbacks(lambda callback: callback.on_begin(self))
        for inputs, targets in self._batches(self.progress.step):
            if self.stopping:
                break
            self.optimizer.learning_rate.assign(self.progress.schedule.learning_rate)
            batch = self.train_step(inputs, targets, self.progress.step)
            self.progress.step += 1
            self.progress.tokens += int(batch.tokens)
            self.progress.loss_sum += batch.loss * batch.tokens
            self.progress.loss_tokens += batch.tokens
            self.progress.hits += batch.accuracy * batch.tokens
            self.progress.top_hits += batch.top5_accuracy * batch.tokens
            self._finish_step(batch)
        if self.progress.step < self.steps:
            self.progress.history[-1]["stopped_early"] = True  # the gates then do not propose more epochs
        self._load_best_weights(self.progress.best_step)
        self._call_callbacks(lambda callback: callback.on_end(self))
        return self.progress

    def _finish_step(self, batch: Batch) -> None:
        """Record a point of the curve, validate, save a checkpoint and call the callbacks, each at its steps."""
        step = self.progress.step
        validates = step % self.validate_every == 0 or step == self.steps
        self._call_callbacks(lambda callback: callback.on_batch_end(self, batch))
        if step % RECORD_STEPS == 0 or validates:
            self._record(validates)
        if step % self.per_epoch == 0:
            self._call_callbacks(lambda callback: callback.on_epoch_end(self, batch))
        if validates or step % self.settings.checkpoint_steps == 0:
            self._call_callbacks(lambda callback: callback.on_save(self))
            self.checkpoints.save("last", [v.numpy() for v in self._variables()], self.progress.to_json())

    def _record(self, validates: bool) -> None:
        progress, rate = self.progress, self.progress.schedule.learning_rate
        tokens = max(1.0, progress.loss_tokens)
        point = {
            "step": progress.step, "epoch": round(progress.step / self.per_epoch, 4), "tokens": progress.tokens,
            "loss": progress.loss_sum / tokens, "learning_rate": rate, "accuracy": progress.hits / tokens,
            "top5_accuracy": progress.top_hits / tokens,
        }  # fmt: skip
        progress.loss_sum = progress.loss_tokens = progress.hits = progress.top_hits = 0.0
        progress.history.append(point)
        if not validates:
            return
        nats, accuracy, top5_accuracy = self.validation_means()
        perplexity = math.exp(min(nats, 700.0))  # exp of more overflows a float64
        point |= {
            "validation_cross_entropy": nats, "validation_perplexity": perplexity, "validation_accuracy": accuracy,
            "validation_top5_accuracy": top5_accuracy,
        }  # fmt: skip
        progress.schedule = progress.schedule.after(perplexity, self.settings)
        if progress.schedule.learning_rate < rate:
            point["next_learning_rate"] = progress.schedule.learning_rate
        if progress.schedule.improved():
            progress.best_step = progress.step
            self.checkpoints.save("best", [v.numpy() for v in self.model.variables], {"step": progress.step})
        self._call_callbacks(lambda callback: callback.on_validation_end(self, point))

    def validation_means(self) -> tuple[float, float, float]:
        """Return unsmoothed cross-entropy (nats per token), accuracy and top-5 accuracy of the validation split."""
        totals = [0.0] * 4
        for inputs, targets in self.validation.in_order(self.settings.batch):
            _, *sums = self.train_step.validate(inputs, targets)
            totals = [total + value for total, value in zip(totals, sums, strict=True)]
        nats, tokens, hits, top_hits = totals
        return nats / tokens, hits / tokens, top_hits / tokens

    def _call_callbacks(self, call_hook: Callable[[Callback], None]) -> None:
        for callback in self.callbacks:
            call_hook(callback)

    def _batches(self, step: int) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        while step < self.steps:
            epoch, skip = divmod(step, self.per_epoch)
            for batch in self.feed.epoch(self.settings.batch, seed=self.seed, epoch=epoch, skip=skip):
                if step >= self.steps:
                    return
                yield batch
                step += 1

    def _load_best_weights(self, step: int) -> None:
        """Load the weights with the best validation loss, from `step`. If `step` is 0 (no finite loss), keep the current weights."""
        if not step:
            return
        try:
            best = self.checkpoints.load("best", [tuple(v.shape) for v in self.model.variables])
        except DamagedCheckpoint as damage:
            best = None
            self.warn(str(damage))
        if not best or best[1]["step"] != step:
            remedy = "delete this folder and run again"
            raise BadInput(
                f"the weights of the best validation, step {step}, are missing", where=str(self.checkpoints.folder), remedy=remedy
            )
        _assign(self.model.variables, best[0])

    def _variables(self) -> list[Any]:
        return [*self.model.variables, *self.optimizer.variables]

    def _resume(self) -> None:
        try:
            loaded = self.checkpoints.load("last", [tuple(v.shape) for v in self._variables()])
        except DamagedCheckpoint as damage:
            self.warn(f"training starts from the beginning: the checkpoint {damage}")
            return
        if loaded:
            _assign(self._variables(), loaded[0])
            self.progress = Progress.from_json(loaded[1])


def _assign(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
