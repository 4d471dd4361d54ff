"""Runs the step in its own environment, because TensorFlow Data Validation conflicts with packages of the main one."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import write_documents

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-validate" / "bin" / "python"
pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-validate")
Result = tuple[int, list[str]]


def run(folder: Path, documents: list[Document], **settings: object) -> Result:
    """Return the exit status, and the lines of standard error except progress."""
    write_documents(folder / "corpus", documents)
    process = subprocess.run(
        [PYTHON, "-m", "components.validate_data", "--corpus", "corpus", "--seed", "42", "--settings", json.dumps(settings),
         "--statistics", "out/statistics", "--page", "out/page", "--metrics", "out/metrics", "--executor-output", "out/executor"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert process.stdout == ""
    return process.returncode, [line for line in process.stderr.splitlines() if not line.startswith("[")]


def documents(count: int = 30, **more: str) -> list[Document]:
    def make_document(n: int) -> Document:
        fields = {
            "id": str(n),
            "group": str(n),
            "text": "",
            "split": ("train", "validation", "test")[n % 3],
            "source": "user",
            "language": "en",
        }
        return Document(**(fields | more)).with_text(f"The poem {n} has these quiet words, and {n % 5} more. " * (3 + n // 3))

    return [make_document(n) for n in range(count)]


def test_a_good_corpus(tmp_path: Path) -> None:
    status, lines = run(
        tmp_path, documents(licence="CC BY 4.0"), min_megabytes=0, on_type_token_ratio="ignore", min_sentence_tokens=5,
        max_split_divergence=0.5,
    )  # fmt: skip
    assert (status, lines) == (0, [])
    statistics = json.loads((tmp_path / "out/statistics").read_text())
    assert statistics["documents"] == 30
    assert statistics["anomalies"] == []
    assert statistics["rights"] == [{"source": "user", "licence": "CC BY 4.0", "documents": 30, "consent": 0}]
    assert {check["verdict"] for check in statistics["checks"]} == {"ok", "ignored"}
    assert {check["name"]: check["value"] for check in statistics["checks"]}["length_divergence"] >= 0
    executor_output = json.loads((tmp_path / "out/executor").read_text())
    assert "statistics_digest" in executor_output["parameterValues"]
    assert executor_output["artifacts"]["metrics"]["artifacts"][0]["metadata"]["documents"] == 30
    assert "<svg" in (tmp_path / "out/page").read_text()


def test_all_failed_checks_are_one_line_and_on_the_page(tmp_path: Path) -> None:
    bad = [*documents(), *documents(1, id="x", date="2999-01-01", language="", source="<script>"), documents(1, id="y")[0].with_text("!!!")]
    status, lines = run(tmp_path, bad, on_size="fail")
    assert status == 2
    errors = [line for line in lines if not line.startswith("warning: ")]
    assert len(errors) == 1
    for part in (
        "error: corpus: megabytes is",
        "language: ",
        "words: ",
        "Unexpectedly small value: 0",
        "year: Unexpectedly large value: 2999",
    ):
        assert part in errors[0]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["page"]
    page = (tmp_path / "out/page").read_text()
    assert "Unexpectedly large value: 2999" in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_train_and_test_of_different_lengths(tmp_path: Path) -> None:
    rows = [d.with_text(d.text * 40) if d.split == "test" else d for d in documents()]
    status, lines = run(tmp_path, rows, on_anomalies="warn", on_skew="fail")
    assert status == 2
    assert "length divergence is" in lines[-1]


def test_an_empty_corpus(tmp_path: Path) -> None:
    assert run(tmp_path, []) == (2, ["error: corpus: the corpus has no documents; check the source and run ingest again"])
