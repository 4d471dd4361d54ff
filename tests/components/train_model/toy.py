"""A small training for tests, that can be killed."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from components.train_model.architectures.architecture import ARCHITECTURES
from components.train_model.checkpoint import Checkpoints
from components.train_model.training.callbacks import Callback
from components.train_model.training.feed import make_feed
from components.train_model.training.progress import Progress
from components.train_model.training.trainer import Trainer
from robo_poet.corpus.parquet import read_documents
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.train import TrainSettings
from tests.conftest import TOY_TRAINING

WARNINGS: list[str] = []


class Killed(Exception):
    pass


def trainer(
    corpus: Path, tokenizer: Path, folder: Path, killed_after: int = 0,
    callbacks: Callable[[TrainSettings, Tokenizer], Sequence[Callback]] = lambda *_: (), **changes: object,
) -> Trainer:  # fmt: skip
    """Args: killed_after: lines of progress."""
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(42)
    settings = TrainSettings.model_validate({**TOY_TRAINING, **changes})
    words = Tokenizer.load(tokenizer)
    feeds = {
        split: make_feed((d.text for d in read_documents(corpus, split)), words, window=20, stride=20, cache=folder / f"{split}.ids")
        for split in ("train", "validation")
    }
    calls = 0

    def report(step: int, steps: int, text: str) -> None:
        nonlocal calls
        calls += 1
        if killed_after and calls > killed_after:
            raise Killed

    architecture = ARCHITECTURES[settings.architecture]
    return Trainer(
        architecture, architecture.build(settings, words.vocabulary), feeds["train"], feeds["validation"], settings, seed=42,
        checkpoints=Checkpoints(folder), report=report, warn=WARNINGS.append, callbacks=callbacks(settings, words),
    )  # fmt: skip


def outcome(trained: Trainer, progress: Progress) -> tuple[bytes, str]:
    """What two equal trainings have in common: every bit of the weights, and the curve."""
    return b"".join(v.numpy().tobytes() for v in trained.model.trainable_variables), json.dumps(progress.history)


def optimizer_state(trained: Trainer) -> list[Any]:
    return [v.numpy().tolist() for v in trained.optimizer.variables]
