import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.train_model import lstm
from components.train_model.checkpoint import Checkpoints
from components.train_model.feed import make_feed
from components.train_model.trainer import Progress, Trainer
from robo_poet.corpus.read import read_documents
from robo_poet.errors import BadInput
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.settings.train import TrainSettings
from tests.conftest import TOY_TRAINING

WARNINGS: list[str] = []


class Killed(Exception):
    pass


def trainer(corpus: Path, tokenizer: Path, folder: Path, killed_after: int = 0, **changes: object) -> Trainer:
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(42)
    settings = TrainSettings.model_validate({**TOY_TRAINING, **changes})
    words = Tokenizer.load(tokenizer)
    feeds = {
        split: make_feed((d.text for d in read_documents(corpus, split)), words, window=20, stride=20, cache=folder / f"{split}.ids")
        for split in ("train", "validation")
    }
    calls = 0

    def say(step: int, steps: int, text: str) -> None:
        nonlocal calls
        calls += 1
        if killed_after and calls > killed_after:
            raise Killed

    return Trainer(
        lstm, lstm.build(settings, words.vocabulary), feeds["train"], feeds["validation"], settings, seed=42,
        checkpoints=Checkpoints(folder), say=say, warn=WARNINGS.append,
    )  # fmt: skip


def outcome(trained: Trainer, progress: Progress) -> tuple[bytes, str]:
    return b"".join(v.numpy().tobytes() for v in trained.model.trainable_variables), json.dumps(progress.history)


@pytest.fixture(scope="module")
def uninterrupted(toy_corpus: Path, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    whole = trainer(toy_corpus, toy_tokenizer, tmp_path_factory.mktemp("whole"))
    return outcome(whole, whole.run())


@pytest.mark.parametrize("killed_after", [8, 30, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, 66))])
def test_killed_and_resumed_is_uninterrupted_bit_for_bit(
    killed_after: int, uninterrupted: tuple[bytes, str], toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        trainer(toy_corpus, toy_tokenizer, tmp_path, killed_after).run()
    resumed = trainer(toy_corpus, toy_tokenizer, tmp_path)
    assert outcome(resumed, resumed.run()) == uninterrupted


def test_a_finished_training_has_nothing_left_to_do(
    uninterrupted: tuple[bytes, str], toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    first = trainer(toy_corpus, toy_tokenizer, tmp_path)
    first.run()
    again = trainer(toy_corpus, toy_tokenizer, tmp_path, killed_after=1)  # one line says that it goes on, a second step would raise
    assert outcome(again, again.run()) == uninterrupted


def test_it_learns_and_keeps_the_best_weights(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    trained = trainer(toy_corpus, toy_tokenizer, tmp_path, epochs=30, learning_rate=0.05, early_stopping_patience=2)
    progress = trained.run()
    checked = [p["validation_perplexity"] for p in progress.history if "validation_perplexity" in p]
    assert checked[-1] < checked[0] * 0.8
    assert np.exp(trained.validation_cross_entropy()) == pytest.approx(min(checked), rel=1e-6)
    assert progress.step < trained.steps and progress.step - progress.best_step == 2 * trained.per_epoch


def test_a_loss_that_is_no_number_stops_and_says_where(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    broken = trainer(toy_corpus, toy_tokenizer, tmp_path)
    bias = broken.model.get_layer("logits").bias
    bias.assign(np.full(bias.shape, np.nan))
    with pytest.raises(BadInput, match=r"training step 1 of \d+: the loss is not a number; lower train.learning_rate"):
        broken.run()


def test_max_steps_is_the_end(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    progress = trainer(toy_corpus, toy_tokenizer, tmp_path, max_steps=5).run()
    assert progress.step == 5
    assert "validation_perplexity" in progress.history[-1]


def test_a_damaged_checkpoint_is_said_and_training_starts_over(
    uninterrupted: tuple[bytes, str], toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        trainer(toy_corpus, toy_tokenizer, tmp_path, 30).run()
    (tmp_path / "last.npz").write_bytes(b"PK")
    WARNINGS.clear()
    again = trainer(toy_corpus, toy_tokenizer, tmp_path)
    assert outcome(again, again.run()) == uninterrupted
    assert len(WARNINGS) == 1 and WARNINGS[0].startswith("training starts over: the checkpoint last.npz cannot be read")


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_without_its_best_weights_a_training_does_not_end_well(harm: str, toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    trainer(toy_corpus, toy_tokenizer, tmp_path).run()
    (tmp_path / "best.npz").unlink() if harm == "missing" else (tmp_path / "best.npz").write_bytes(b"PK")
    with pytest.raises(BadInput, match="the weights of the best validation, step .* are gone; remove that folder"):
        trainer(toy_corpus, toy_tokenizer, tmp_path).run()
