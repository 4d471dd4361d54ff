"""Covers: generate, loaded_version."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.generation.generate import generate
from robo_poet.errors import BadInput

pytestmark = pytest.mark.usefixtures("quick_loading")


def call(registry: Path, *words: str, stdin: bytes | None = None) -> Result:
    app = typer.Typer()
    app.command()(generate)
    return CliRunner().invoke(app, [*words, "--registry", str(registry)], input=stdin, catch_exceptions=False)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["bad \udcff bytes"], "prompt: the text is not valid UTF-8"),
        ([], "prompt: no prompt is given; give a text, - or --prompt-file"),
        (["The king", "--prompt-file", "x"], "prompt: both PROMPT and --prompt-file are given; give a text, - or --prompt-file"),
        (["The king", "--min-length", "50", "--max-length", "10"], "--min-length: 50 is more than --max-length, 10; lower the minimum or raise the maximum"),
        (["The king", "--max-length", "513"], "--max-length: 513 is out of range; give a value from 1 to 512"),
        (["The king", "--max-length", "0"], "--max-length: 0 is out of range; give a value from 1 to 512"),
        (["The king", "--top-k", "101"], "--top-k: 101 is out of range; give a value from 0 to 100"),
        (["The king", "--temperature", "nan"], "--temperature: nan is out of range; give a value from 0.1 to 2.0"),
        (["The king", "--repetition-penalty", "1.3"], "--repetition-penalty: 1.3 is out of range; give a value from 1.0 to 1.2"),
        (["The king", "--beams", "2"], "--beams: 2 is out of range; give 3 to 5, or 1 to switch beam search off"),
        (["The king", "--beams", "6"], "--beams: 6 is out of range; give 3 to 5, or 1 to switch beam search off"),
        (["The king", "--stop", ""], "--stop: contains an empty text; remove it"),
        (["The king", "--beams", "3", "-n", "2"], "--samples: beam search always returns the same text; omit --samples or --beams"),
        (["The king\tand all"], "no champion yet; to train one: .venv/bin/robo-poet run"),
    ],
)  # fmt: skip
def test_invalid_options_have_a_one_line_message(words: list[str], line: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        call(tmp_path, *words)
    assert line in str(error.value)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([""], "prompt: the text is empty; give at least one character"),
        (["the rose " * 400], "too long: 1200 tokens; give at most 510 tokens"),
        (["my heart burns", "-v", "3"], "model/manifest.json was changed"),
        (["my heart burns", "-v", "9"], "there is no version 9"),
        (["my heart burns", "--model", "shakespeare/9"], "there is no version 9"),
        (["my heart burns", "--model", "shakespeare/1", "-v", "2"], "'shakespeare/1' names no version; use NAME, or NAME/N without --version"),
    ],
)  # fmt: skip
def test_a_refusal_by_the_version_has_a_one_line_message(toy_registry: Path, words: list[str], line: str) -> None:
    with pytest.raises(BadInput) as error:
        call(toy_registry, *words)
    assert line in str(error.value)


def test_the_text_goes_to_standard_output_and_the_facts_to_standard_error(toy_registry: Path) -> None:
    found = call(toy_registry, "my heart burns", "--seed", "5", "--max-length", "60")
    assert found.stdout.startswith("my heart burns")
    assert found.stdout.endswith("\n")
    assert found.stderr.startswith("version 1 · --seed 5 repeats this text · 60 tokens · ")
    assert found.stderr.count("\n") == 1
    drawn = call(toy_registry, "my heart burns", "--max-length", "60")
    seed = drawn.stderr.split("--seed ")[1].split()[0]
    assert call(toy_registry, "my heart burns", "--max-length", "60", "--seed", seed).stdout == drawn.stdout


def test_streaming_and_batch_give_the_same_text(toy_registry: Path) -> None:
    options = ["--seed", "5", "--max-length", "90", "--repetition-penalty", "1.1", "--ban", "rose"]
    text = call(toy_registry, "my heart burns", *options).stdout
    batch = call(toy_registry, "my heart burns", *options, "-n", "2", "--json").stdout.splitlines()
    first, second = map(json.loads, batch)
    assert text == f"my heart burns{first['text']}\n"
    assert [first["seed"], second["seed"]] == [5, 6]
    assert first["text"] != second["text"]
    assert (first["version"], first["reason"], len(first["tokens"]), len(first["log_probs"])) == (1, "length", 90, 90)
    assert first["prompt"] == "my heart burns"
    people = call(toy_registry, "my heart burns", *options, "-n", "2")
    assert people.stdout == "".join(
        f"--- {i} of 2, seed {one['seed']}\nmy heart burns{one['text']}\n\n" for i, one in enumerate((first, second), 1)
    )
    assert "--seed 5 repeats this text · 180 tokens" in people.stderr


def test_a_prompt_comes_from_a_file_or_standard_input(toy_registry: Path, tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("my heart\nburns\n")
    options = ["--seed", "5", "--max-length", "12"]
    expected = call(toy_registry, "my heart\nburns", *options).stdout
    assert call(toy_registry, "--prompt-file", str(file), *options).stdout == expected
    assert call(toy_registry, "-", *options, stdin=b"\xef\xbb\xbfmy heart\r\nburns\n").stdout == expected
    file.write_bytes(b"\xff")
    with pytest.raises(BadInput, match=r"prompt.txt: the text is not valid UTF-8"):
        call(toy_registry, "--prompt-file", str(file))
    with pytest.raises(FileNotFoundError):
        call(toy_registry, "--prompt-file", str(tmp_path / "none.txt"))


def test_the_reason_for_the_end_is_printed(toy_registry: Path) -> None:
    full = call(toy_registry, "the rose sleeps " * 60, "--max-length", "512", "--seed", "1", "--min-length", "500")
    assert full.stderr.endswith(" · the context of 512 tokens is full\n")
    stopped = call(toy_registry, "my heart burns", "--max-length", "200", "--seed", "1", "--stop", r"\n")
    assert stopped.stderr.endswith(" · a stop text was reached\n")
    assert stopped.stdout.endswith("\n\n")
    assert json.loads(call(toy_registry, "my heart burns", "--stop", r"\n", "--json", "--seed", "1").stdout)["reason"] == "stop"


def test_beam_search_needs_no_seed(toy_registry: Path) -> None:
    one, two = (call(toy_registry, "my heart burns", "--beams", "3", "--max-length", "30") for _ in range(2))
    assert one.stdout == two.stdout
    assert "beam search repeats this text" in one.stderr
    found = json.loads(call(toy_registry, "my heart burns", "--beams", "3", "--max-length", "30", "--json").stdout)
    assert (found["seed"], found["log_probs"]) == (None, [])
