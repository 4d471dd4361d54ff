"""Train a byte-level BPE tokenizer on the training split and measure it on the validation split."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from components.train_tokenizer.component import train_tokenizer
from robo_poet.atomic import new_folder, write_text
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents
from robo_poet.display import quotable_name
from robo_poet.errors import BadInput
from robo_poet.model.bpe import LONGEST_WORD, long_word, train_bpe
from robo_poet.model.tokenizer import START, Tokenizer
from robo_poet.settings.data import TokenizerSettings
from robo_poet.step.program import Call, program

LINE_BREAK = "\n"


@dataclass(frozen=True)
class Fit:
    """The fit of a tokenizer to text.

    Args:
        coverage: share of words that are one or two tokens, in [0, 1].
        bytes_per_token: bytes of UTF-8 per token.
    """

    coverage: float
    bytes_per_token: float


def measure_fit(tokenizer: Tokenizer, texts: Iterable[str]) -> Fit:
    """Measure a tokenizer on `texts`. Words are separated by white space and encoded with a leading space, as in running text."""
    words = covered = size = tokens = 0
    for text in texts:
        size += len(text.encode("utf-8"))
        tokens += len(tokenizer.encode(text))
        lengths = [len(ids) for ids in tokenizer.encode_all([f" {word}" for word in text.split()])]
        words += len(lengths)
        covered += sum(length <= 2 for length in lengths)
    return Fit(covered / words if words else 0.0, size / tokens if tokens else 0.0)


def opening(tokenizer: Tokenizer, texts: Iterable[str]) -> int:
    """Return the token of a line break if at least half of the training texts have one, else `<START>`.

    It stands before short prompts (`robo_poet.model.inputs.with_context`). It says nothing about the content of a document.
    """
    with_break = [LINE_BREAK in text for text in texts]
    tokens = tokenizer.encode(LINE_BREAK)
    return tokens[0] if len(tokens) == 1 and with_break and 2 * sum(with_break) >= len(with_break) else START


def work(call: Call) -> None:
    settings = cast(TokenizerSettings, call.settings)
    corpus = call.inputs["scrubbed"]
    call.progress(0, 1, "learning merges")
    _warn_of_long_words(call, read_documents(corpus, split="train"))
    core = train_bpe((d.text for d in read_documents(corpus, split="train")), settings.vocabulary)
    tokenizer = Tokenizer(core, settings.vocabulary)
    fit = measure_fit(tokenizer, (d.text for d in read_documents(corpus, split="validation")))
    manifest = {
        "vocabulary": settings.vocabulary,
        "size": tokenizer.size,
        "coverage": round(fit.coverage, 6),
        "bytes_per_token": round(fit.bytes_per_token, 6),
        "opening": opening(tokenizer, (d.text for d in read_documents(corpus, split="train"))),
    }
    _check_coverage(call, settings, fit.coverage)
    with new_folder(call.outputs["tokenizer"]) as folder:
        write_text(folder / "tokenizer.json", core.to_str())  # `core.save` raises no OSError if the disk is full
        write_text(folder / "manifest.json", json.dumps(manifest, indent=1))
    if "metrics" in call.outputs:
        write_text(call.outputs["metrics"], json.dumps(manifest))
        call.describe("metrics", **manifest)
    call.progress(1, 1, f"{tokenizer.size:,} tokens, {fit.bytes_per_token:.2f} bytes per token, coverage {fit.coverage:.1%}")


MAX_NAMED = 3  # documents named in warnings; further documents are only counted


def _warn_of_long_words(call: Call, documents: Iterable[Document]) -> None:
    """Warn of words that are not words of a language, such as a genome or encoded data."""
    lengths = [(document.id, length) for document in documents if (length := long_word(document.text))]
    for name, length in lengths[:MAX_NAMED]:
        call.warn(f"{quotable_name(name)}: a word of {length:,} characters; it is learned in pieces. Remove it if it is not text")
    if len(lengths) > MAX_NAMED:
        call.warn(f"{len(lengths)} documents have a word of more than {LONGEST_WORD:,} characters")


def _check_coverage(call: Call, settings: TokenizerSettings, coverage: float) -> None:
    if coverage >= settings.min_coverage or settings.on_coverage == "ignore":
        return
    problem = f"{coverage:.1%} of held-out words are one or two tokens; required: at least {settings.min_coverage:.0%}"
    if settings.on_coverage == "fail":
        raise BadInput(problem, where="tokenizer.min_coverage", remedy="raise tokenizer.vocabulary or add text")
    call.warn(f"tokenizer coverage: {problem}")


def main(argv: Sequence[str] | None = None) -> int:
    return program(train_tokenizer, work, argv, settings=TokenizerSettings)


if __name__ == "__main__":
    sys.exit(main())
