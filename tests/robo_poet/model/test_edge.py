"""Loading of an edge model that is missing or damaged. Tests of generation with one are in tests/serving/edge."""

import json
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.model.edge import load_edge


def test_a_folder_without_an_edge_model_is_refused(toy_tokenizer: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no edge model"):
        load_edge(tmp_path, toy_tokenizer)


@pytest.mark.parametrize("manifest", [{}, {"size": 320, "vocabulary": 320}])
def test_a_damaged_edge_model_is_refused(toy_tokenizer: Path, tmp_path: Path, manifest: dict[str, int]) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "model.tflite").write_bytes(b"no model")
    with pytest.raises(BadInput, match="edge model is damaged|give the tokenizer of the same version") as error:
        load_edge(tmp_path, toy_tokenizer)
    assert "\n" not in str(error.value)


def test_the_tokenizer_must_exist(toy_tokenizer: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(BadInput, match="no tokenizer"):
        load_edge(tmp_path, tmp_path)
