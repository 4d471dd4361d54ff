import shutil
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.model.load import load_model


@pytest.mark.parametrize("damage", [b"", b"no model", None])
def test_what_tensorflow_cannot_read_is_one_line(toy_training: Path, toy_tokenizer: Path, tmp_path: Path, damage: bytes | None) -> None:
    model = shutil.copytree(toy_training / "model", tmp_path / "model")
    file = model / "saved_model" / "saved_model.pb"
    if damage is None:
        shutil.rmtree(file.parent)
    else:
        file.write_bytes(damage)
    with pytest.raises(BadInput, match="cannot be loaded") as error:
        load_model(model, toy_tokenizer)
    assert str(error.value).count("\n") == 0 and "train a version anew" in str(error.value)
