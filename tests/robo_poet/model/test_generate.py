import math
import shutil
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.model.generate import Sampling, encode_prompt
from robo_poet.model.load import load_model


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", 0.0), ("temperature", 2.1), ("temperature", math.nan), ("top_k", -1), ("top_k", 101), ("top_p", 0.0), ("max_new", 0), ("max_new", 513)],
)  # fmt: skip
def test_an_option_out_of_range_is_named(name: str, value: float) -> None:
    with pytest.raises(BadInput, match=f"^{name}: .* out of range; give a value from"):
        Sampling(**{name: value})  # type: ignore[arg-type]


def test_a_prompt_too_short_or_too_long_is_refused(toy_training: Path, toy_tokenizer: Path) -> None:
    model = load_model(toy_training / "model", toy_tokenizer)
    with pytest.raises(BadInput, match="prompt: 0 tokens are too few; give at least 3"):
        encode_prompt(model, "")
    with pytest.raises(BadInput, match="prompt: .* tokens are too many; give at most 510"):
        encode_prompt(model, "the rose " * 600)


def test_another_versions_tokenizer_is_refused(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    other = shutil.copytree(toy_tokenizer, tmp_path / "other")
    (other / "manifest.json").write_text((other / "manifest.json").read_text().replace("320", "400"))
    with pytest.raises(BadInput, match="give the tokenizer of the same version"):
        load_model(toy_training / "model", other)
    with pytest.raises(BadInput, match="no model here"):
        load_model(tmp_path, toy_tokenizer)
