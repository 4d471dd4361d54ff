import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robo_poet.errors import BadInput
from robo_poet.model.completion import Completion, Sampling, StopReason
from robo_poet.model.inputs import encode_prompt
from robo_poet.model.saved_model import LoadedModel, generate, load_model, stream


@pytest.mark.parametrize("damage", [b"", b"no model", None])
def test_a_damaged_saved_model_is_one_line(toy_training: Path, toy_tokenizer: Path, tmp_path: Path, damage: bytes | None) -> None:
    model = shutil.copytree(toy_training / "model", tmp_path / "model")
    file = model / "saved_model" / "saved_model.pb"
    if damage is None:
        shutil.rmtree(file.parent)
    else:
        file.write_bytes(damage)
    with pytest.raises(BadInput, match="cannot be loaded") as error:
        load_model(model, toy_tokenizer)
    assert str(error.value).count("\n") == 0 and "train a new version" in str(error.value)


def test_another_versions_tokenizer_is_refused(toy_training: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    other = shutil.copytree(toy_tokenizer, tmp_path / "other")
    (other / "manifest.json").write_text((other / "manifest.json").read_text().replace("320", "400"))
    with pytest.raises(BadInput, match="give the tokenizer of the same version"):
        load_model(toy_training / "model", other)
    with pytest.raises(BadInput, match="holds no model"):
        load_model(tmp_path, toy_tokenizer)


@pytest.fixture(scope="module")
def model(toy_training: Path, toy_tokenizer: Path) -> LoadedModel:
    return load_model(toy_training / "model", toy_tokenizer)


def assert_same(one: Completion, other: Completion) -> None:
    assert replace(one, log_probs=[]) == replace(other, log_probs=[])
    np.testing.assert_allclose(one.log_probs, other.log_probs, atol=1e-3)  # sums in another order, as in any other batch


def test_a_stream_gives_the_text_of_one_call_up_to_a_full_context(model: LoadedModel) -> None:
    prompt = encode_prompt(model, "the rose sleeps upon a bright cold star " * 38)[:488]
    sampling = Sampling(max_new=100, min_new=100)
    for length in (488, 487, 464, 484):  # 488 and 464 are filled by whole pieces
        written = generate(model, [prompt[:length]], sampling, [3])[0]
        assert (len(written.tokens), written.reason) == (min(100, 512 - length), StopReason.CONTEXT if length > 412 else StopReason.LENGTH)
        assert_same(list(stream(model, prompt[:length], sampling, 3))[-1], written)


@pytest.mark.parametrize("least", [0, 10, 40])
@pytest.mark.parametrize("stop", [(".",), ("s.\n", "e u"), ("no such text",)])
def test_a_stop_text_counts_behind_the_least_length(model: LoadedModel, least: int, stop: tuple[str, ...]) -> None:
    prompt = encode_prompt(model, "my heart burns")
    written = generate(model, [prompt] * 8, Sampling(80, least, stop=stop), range(8))
    for seed, one in enumerate(written):
        assert_same(list(stream(model, prompt, Sampling(80, least, stop=stop), seed))[-1], one)
        assert len(one.tokens) == len(one.log_probs) >= least
        assert one.text.endswith(stop) == (one.reason is StopReason.STOP)
        assert model.tokenizer.decode(one.tokens).startswith(one.text)
        assert not any(text in one.text[len(model.tokenizer.decode(one.tokens[:least])) : -1] for text in stop)


@pytest.mark.parametrize("beams", [1, 3])
def test_a_banned_text_of_several_tokens_is_not_written(model: LoadedModel, beams: int) -> None:
    prompt = encode_prompt(model, "my heart burns")
    free = generate(model, [prompt], Sampling(60, beams=beams), [4])[0].text
    banned = tuple(free[start : start + 9] for start in (0, 15, 40))
    assert not model.tokenizer.tokens_containing(banned)
    sampling = Sampling(60, beams=beams, banned=banned)
    written, other = generate(model, [prompt] * 2, sampling, [4, 5])
    assert not any(text in one.text for one in (written, other) for text in banned)
    assert written.text != free and written.reason in (StopReason.LENGTH, StopReason.END) and 10 <= len(written.tokens) <= 60
    if beams == 1:
        assert len(written.log_probs) == len(written.tokens)
    states = [state.text for state in stream(model, prompt, sampling, 4)]
    assert states[-1] == written.text
    assert all(after.startswith(before.rstrip("\N{REPLACEMENT CHARACTER}")) for before, after in itertools.pairwise(states))
