"""The step by its command line."""

import json
from pathlib import Path

import pytest

from components.train_tokenizer.__main__ import main, measure_fit, opening
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from robo_poet.digest import digest_path
from robo_poet.model.tokenizer import CONTROL, START, Tokenizer


def run(corpus: Path, out: Path, **settings: object) -> int:
    return main(["--scrubbed", str(corpus), "--validated", "x", "--settings", json.dumps(settings), "--tokenizer", str(out)])


def test_the_same_corpus_gives_the_same_bytes(toy_corpus: Path, toy_tokenizer: Path, tmp_path: Path) -> None:
    assert run(toy_corpus, tmp_path / "t", vocabulary=320, on_coverage="ignore") == 0
    assert digest_path(tmp_path / "t") == digest_path(toy_tokenizer)


def test_control_tokens_have_their_ids(toy_tokenizer: Path) -> None:
    vocabulary = json.loads((toy_tokenizer / "tokenizer.json").read_text())["model"]["vocab"]
    assert [vocabulary[name] for name in CONTROL] == [0, 1, 2, 3]


def test_coverage_is_the_share_of_words_of_at_most_two_tokens(toy_tokenizer: Path) -> None:
    tokenizer = Tokenizer.load(toy_tokenizer)
    words = ["the", "heart", "xylophonist", "qqqqqqqq"]
    short = sum(len(tokenizer.encode(f" {word}")) <= 2 for word in words)
    fit = measure_fit(tokenizer, [" ".join(words)])
    assert fit.coverage == short / 4
    assert 0 < short < 4
    assert measure_fit(tokenizer, []).coverage == 0.0


@pytest.mark.parametrize(
    ("texts", "expected"),
    [(["a\nb", "c\nd", "e"], "\n"), (["a\nb", "c", "d"], ""), (["Dear Ann, yes", "Dear Ann, no"], ""), ([], "")],
)
def test_the_opening_is_a_line_break_and_never_a_word(texts: list[str], expected: str, toy_tokenizer: Path) -> None:
    tokenizer = Tokenizer.load(toy_tokenizer)
    assert opening(tokenizer, texts) == (tokenizer.encode(expected)[0] if expected else START)


@pytest.mark.parametrize(("on_coverage", "status"), [("warn", 0), ("ignore", 0), ("fail", 2)])
def test_low_coverage_warns_or_fails_as_the_profile_sets(
    on_coverage: str, status: int, toy_corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(toy_corpus, tmp_path / "t", vocabulary=260, on_coverage=on_coverage) == status
    output = capsys.readouterr().err
    assert ("warning: tokenizer coverage" in output) == (on_coverage == "warn")
    assert ("error: tokenizer.min_coverage" in output) == (on_coverage == "fail") == (not (tmp_path / "t").exists())


def test_a_word_that_is_no_word_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = {"genome": "acgt" * 500, "poem": "The sea is wide."}
    documents = [Document(id=name, group=name, text=text, split="train") for name, text in texts.items()]
    write_documents(tmp_path / "corpus", [*documents, Document(id="v", group="v", text="The road is dust.", split="validation")])
    assert run(tmp_path / "corpus", tmp_path / "t", vocabulary=300) == 0
    assert "warning: genome: a word of 2,000 characters; it is learned in pieces" in capsys.readouterr().err
