from pathlib import Path

import numpy as np
import pytest

from robo_poet.errors import BadInput
from tests.components.train_model.toy import WARNINGS, Killed, outcome, trainer


@pytest.fixture(scope="module")
def uninterrupted(toy_corpus: Path, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    whole = trainer(toy_corpus, toy_tokenizer, tmp_path_factory.mktemp("whole"))
    return outcome(whole, whole.run())


@pytest.mark.parametrize("killed_after", [8, *(pytest.param(n, marks=pytest.mark.soak) for n in range(1, 66))])
def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(
    killed_after: int, uninterrupted: tuple[bytes, str], toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        trainer(toy_corpus, toy_tokenizer, tmp_path, killed_after).run()
    resumed = trainer(toy_corpus, toy_tokenizer, tmp_path)
    assert outcome(resumed, resumed.run()) == uninterrupted


def test_a_finished_training_makes_no_further_step(
    uninterrupted: tuple[bytes, str], toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    first = trainer(toy_corpus, toy_tokenizer, tmp_path)
    first.run()
    again = trainer(toy_corpus, toy_tokenizer, tmp_path, killed_after=1)  # one line says that it goes on, a second step would raise
    assert outcome(again, again.run()) == uninterrupted


def test_training_learns_and_keeps_the_best_weights(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    trained = trainer(toy_corpus, toy_tokenizer, tmp_path, epochs=60, learning_rate=0.05, early_stopping_patience=2, precision="float32")
    progress = trained.run()
    checked = [p["validation_perplexity"] for p in progress.history if "validation_perplexity" in p]
    assert checked[-1] < checked[0] * 0.8
    assert np.exp(trained.validation_means()[0]) == pytest.approx(min(checked), rel=1e-6)
    assert progress.step < trained.steps and progress.step - progress.best_step == 2 * trained.per_epoch
    assert [point["step"] for point in progress.history if point.get("stopped_early")] == [progress.step]


def test_a_lower_learning_rate_is_a_note_and_a_point_of_the_history(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    changes = {"epochs": 12, "learning_rate": 0.05, "plateau_patience": 1, "early_stopping_patience": 6, "precision": "float32"}
    trained, notes = trainer(toy_corpus, toy_tokenizer, tmp_path, **changes), list[str]()
    trained.note = notes.append
    history = trained.run().history
    lowered = [(number, point) for number, point in enumerate(history) if "next_learning_rate" in point]
    assert lowered and len(notes) == len(lowered)
    number, point = lowered[0]
    assert (point["learning_rate"], point["next_learning_rate"]) == (0.05, 0.025)
    assert all(later["learning_rate"] == 0.025 for later in history[number + 1 : number + 2])
    best = min(earlier["validation_perplexity"] for earlier in history[:number] if "validation_perplexity" in earlier)
    assert notes[0] == (
        f"learning rate lowered from 0.05 to 0.025 after epoch {point['epoch']:.2f}: "
        f"validation perplexity {point['validation_perplexity']:,.1f}, best {best:,.1f}"
    )


def test_the_accuracies_rise_and_top_5_is_at_least_the_accuracy(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    history = trainer(toy_corpus, toy_tokenizer, tmp_path, learning_rate=0.05).run().history
    for name in ("accuracy", "validation_accuracy"):
        values = [(point[name], point[name.replace("accuracy", "top5_accuracy")]) for point in history if name in point]
        assert values and all(0 <= accuracy <= top5 <= 1 for accuracy, top5 in values)
        assert name != "accuracy" or values[-1] > values[0]  # of 830 validation tokens, one more or less is chance


def test_training_ends_at_max_steps(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    progress = trainer(toy_corpus, toy_tokenizer, tmp_path, max_steps=5).run()
    assert progress.step == 5
    assert "validation_perplexity" in progress.history[-1] and "stopped_early" not in progress.history[-1]


def test_a_damaged_checkpoint_is_a_warning_and_training_starts_again(
    uninterrupted: tuple[bytes, str], toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        trainer(toy_corpus, toy_tokenizer, tmp_path, 30).run()
    (tmp_path / "last.npz").write_bytes(b"PK")
    WARNINGS.clear()
    again = trainer(toy_corpus, toy_tokenizer, tmp_path)
    assert outcome(again, again.run()) == uninterrupted
    assert len(WARNINGS) == 1 and WARNINGS[0].startswith("training starts from the beginning: the checkpoint last.npz cannot be read")


@pytest.mark.parametrize("harm", [pytest.param("missing", marks=pytest.mark.soak), "damaged"])
def test_missing_best_weights_are_one_line_of_error(harm: str, toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    trainer(toy_corpus, toy_tokenizer, tmp_path).run()
    (tmp_path / "best.npz").unlink() if harm == "missing" else (tmp_path / "best.npz").write_bytes(b"PK")
    with pytest.raises(BadInput, match="the weights of the best validation, step .* are missing; delete this folder"):
        trainer(toy_corpus, toy_tokenizer, tmp_path).run()
