from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from components.train_model import checkpoint as module
from components.train_model.checkpoint import Checkpoints, DamagedCheckpoint, state_folder
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings


@pytest.fixture
def call(tmp_path: Path) -> Any:
    (tmp_path / "corpus").write_text("verse")
    return SimpleNamespace(
        inputs={"scrubbed": tmp_path / "corpus"},
        parameters={"warm_start_digest": "", "secrets": "", "checkpoint_root": str(tmp_path / "root")},
    )


def test_one_process_at_a_time_trains_in_a_folder_and_the_next_one_resumes_in_it(call: Any) -> None:
    with state_folder(call, TrainSettings(), 1) as folder:
        (folder / "last.npz").touch()
        (folder / "train.ids").touch()
        with (
            pytest.raises(BadInput, match="the same training is already running; wait until it has ended"),
            state_folder(call, TrainSettings(), 1),
        ):
            pass
        with state_folder(call, TrainSettings(), 2) as other:
            assert other != folder
    with state_folder(call, TrainSettings(), 1) as again:
        assert again == folder and (folder / "last.npz").exists() and not (folder / "train.ids").exists()


@pytest.mark.parametrize("error", [BadInput("the loss is not finite"), ValueError("a bug"), KeyboardInterrupt()])
def test_a_training_that_fails_deletes_the_copies_of_the_corpus_and_keeps_the_checkpoints(call: Any, error: BaseException) -> None:
    with pytest.raises(type(error)), state_folder(call, TrainSettings(), 1) as folder:
        for name in ("train.ids", "validation.ids", "last.npz"):
            (folder / name).touch()
        raise error
    assert not list(folder.glob("*.ids")) and (folder / "last.npz").exists()


def test_a_failed_training_releases_its_folder(call: Any) -> None:
    with pytest.raises(BadInput), state_folder(call, TrainSettings(), 1) as folder:
        raise BadInput("the validation split is empty")
    with state_folder(call, TrainSettings(), 1) as resumed:
        assert resumed == folder


def test_a_refused_second_training_leaves_the_copies_of_the_first(call: Any) -> None:
    with state_folder(call, TrainSettings(), 1) as folder:
        (folder / "train.ids").touch()
        with pytest.raises(BadInput, match="already running"), state_folder(call, TrainSettings(), 1):
            pass
        assert (folder / "train.ids").exists()


def test_changed_training_code_uses_another_folder(call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with state_folder(call, TrainSettings(), 1) as folder:
        pass
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "trainer.py").write_text("another thought")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "code" / "state_folder.py"))
    with state_folder(call, TrainSettings(), 1) as other:
        assert other != folder


VALUES = [np.arange(6, dtype=np.float32).reshape(2, 3), np.int64(7)]
SHAPES = [(2, 3), ()]


def test_a_saved_checkpoint_is_loaded_unchanged(tmp_path: Path) -> None:
    Checkpoints(tmp_path).save("last", VALUES, {"step": 3, "loss": 0.1 + 0.2})
    loaded = Checkpoints(tmp_path).load("last", SHAPES)
    assert loaded is not None
    values, progress = loaded
    assert progress == {"step": 3, "loss": 0.1 + 0.2}
    assert all((a == b).all() and a.dtype == np.asarray(b).dtype for a, b in zip(values, VALUES, strict=True))
    assert [p.name for p in tmp_path.iterdir()] == ["last.npz"]


def test_a_damaged_checkpoint_or_one_of_another_model_is_refused(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.load("last", SHAPES) is None
    checkpoints.save("last", VALUES, {})
    for shapes in ([(3, 2), ()], [(2, 3)]):
        with pytest.raises(DamagedCheckpoint, match="belongs to another model"):
            checkpoints.load("last", shapes)
    whole = (tmp_path / "last.npz").read_bytes()
    for end in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "last.npz").write_bytes(whole[:end])
        with pytest.raises(DamagedCheckpoint, match=r"last\.npz cannot be read"):
            checkpoints.load("last", SHAPES)
