from pathlib import Path

import numpy as np
import pytest

from components.train_model.checkpoint import Checkpoints, Damaged

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
