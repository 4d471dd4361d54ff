from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from components.train_model import checkpoint as module
from components.train_model.checkpoint import Checkpoints, Damaged, state_folder
from robo_poet.errors import BadInput
from robo_poet.settings.train import TrainSettings


@pytest.fixture
def call(tmp_path: Path) -> Any:
    (tmp_path / "corpus").write_text("verse")
    return SimpleNamespace(
        inputs={"scrubbed": tmp_path / "corpus"},
        parameters={"warm_start_digest": "", "secrets": "", "checkpoint_root": str(tmp_path / "root")},
    )


def test_one_process_trains_in_it_and_the_next_one_finds_what_is_left(call: Any) -> None:
    with state_folder(call, TrainSettings(), 1) as folder:
        (folder / "last.npz").touch()
        (folder / "train.ids").touch()
        with (
            pytest.raises(BadInput, match="this very training runs already; wait until it has ended"),
            state_folder(call, TrainSettings(), 1),
        ):
            pass
        with state_folder(call, TrainSettings(), 2) as other:
            assert other != folder
    with state_folder(call, TrainSettings(), 1) as again:
        assert again == folder and (folder / "last.npz").exists() and not (folder / "train.ids").exists()


def test_a_training_that_fails_keeps_all(call: Any) -> None:
    with pytest.raises(ValueError, match="killed"), state_folder(call, TrainSettings(), 1) as folder:
        (folder / "train.ids").touch()
        raise ValueError("killed")
    assert (folder / "train.ids").exists()
    with state_folder(call, TrainSettings(), 1):
        pass


def test_other_code_begins_anew(call: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with state_folder(call, TrainSettings(), 1) as folder:
        pass
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "trainer.py").write_text("another thought")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "code" / "state_folder.py"))
    with state_folder(call, TrainSettings(), 1) as other:
        assert other != folder


VALUES = [np.arange(6, dtype=np.float32).reshape(2, 3), np.int64(7)]
SHAPES = [(2, 3), ()]


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    Checkpoints(tmp_path).save("last", VALUES, {"step": 3, "loss": 0.1 + 0.2})
    loaded = Checkpoints(tmp_path).load("last", SHAPES)
    assert loaded is not None
    values, progress = loaded
    assert progress == {"step": 3, "loss": 0.1 + 0.2}
    assert all((a == b).all() and a.dtype == np.asarray(b).dtype for a, b in zip(values, VALUES, strict=True))
    assert [p.name for p in tmp_path.iterdir()] == ["last.npz"]


def test_nothing_damaged_or_foreign_is_gone_on_from(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.load("last", SHAPES) is None
    checkpoints.save("last", VALUES, {})
    for shapes in ([(3, 2), ()], [(2, 3)]):
        with pytest.raises(Damaged, match="of another model"):
            checkpoints.load("last", shapes)
    whole = (tmp_path / "last.npz").read_bytes()
    for end in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "last.npz").write_bytes(whole[:end])
        with pytest.raises(Damaged, match=r"last\.npz cannot be read"):
            checkpoints.load("last", SHAPES)
