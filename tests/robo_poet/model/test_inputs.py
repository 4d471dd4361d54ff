import json
import shutil
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.model.completion import Sampling
from robo_poet.model.inputs import banned_tokens, encode_prompt, pad, prompt_inputs, with_context
from robo_poet.model.saved_model import load_model
from robo_poet.model.tokenizer import PAD, START, Tokenizer


def test_an_empty_or_too_long_prompt_is_refused(toy_training: Path, toy_tokenizer: Path) -> None:
    model = load_model(toy_training / "model", toy_tokenizer)
    with pytest.raises(BadInput, match="^prompt: the text is empty; give at least one character$"):
        encode_prompt(model, "")
    with pytest.raises(BadInput, match="prompt: too long: .* tokens; give at most 510 tokens"):
        encode_prompt(model, "the rose " * 600)


def test_a_short_prompt_has_three_tokens_of_context(toy_training: Path, toy_tokenizer: Path) -> None:
    model = load_model(toy_training / "model", toy_tokenizer)
    [letter], [line_break] = model.tokenizer.encode("x"), model.tokenizer.encode("\n")
    assert encode_prompt(model, "x") == [START, line_break, letter]  # the toy corpus has several lines per document
    assert encode_prompt(model, "xy") == [START, *model.tokenizer.encode("xy")]
    assert len(encode_prompt(model, "xy")) == 3


def test_an_older_tokenizer_fills_up_with_start(toy_tokenizer: Path, tmp_path: Path) -> None:
    shutil.copytree(toy_tokenizer, tmp_path / "old")
    manifest = json.loads((tmp_path / "old" / "manifest.json").read_text())
    del manifest["opening"]
    (tmp_path / "old" / "manifest.json").write_text(json.dumps(manifest))
    assert with_context(Tokenizer.load(tmp_path / "old"), [9]) == [START, START, 9]


def test_rows_are_padded_at_the_end() -> None:
    assert pad([[5, 6, 7], [], [8]]).tolist() == [[5, 6, 7], [PAD, PAD, PAD], [8, PAD, PAD]]
    assert pad([[], []]).shape == (2, 1)


def test_each_row_has_its_own_limits_and_tokens(toy_tokenizer: Path) -> None:
    tokenizer = Tokenizer.load(toy_tokenizer)
    samplings = [Sampling(max_new=20, stop=("e",)), Sampling(max_new=30)]
    inputs = prompt_inputs(tokenizer, [[START, 9], [START, 9, 9]], samplings)
    assert inputs["prompt_length"].tolist() == [2, 3]
    assert inputs["max_new"].tolist() == [20, 30]
    assert [number for number in inputs["stop_tokens"][0].tolist() if number != PAD] == tokenizer.tokens_containing(("e",))
    assert set(inputs["stop_tokens"][1].tolist()) == {PAD}


def test_a_ban_of_every_token_is_refused(toy_tokenizer: Path) -> None:
    tokenizer = Tokenizer.load(toy_tokenizer)
    with pytest.raises(BadInput, match="^banned: "):
        banned_tokens(tokenizer, [tokenizer.decode([number]) for number in range(4, tokenizer.size)])
