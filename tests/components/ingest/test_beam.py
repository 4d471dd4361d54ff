"""The step leaves out the same duplicates, to the byte, with each runner, number of workers and size of shards.

Covers: jobs.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.components.ingest.test_dropped import near, poems, rows, text
from tests.components.offline import RUNNERS, Runs, run_offline

OUTPUTS = ("corpus", "dropped", "metrics")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    documents = poems(700)
    copies = [near(documents[n], f"near{n}", 30 + n % 40) for n in range(0, 700, 5)]
    chain = [near(near(documents[n], "", 10), f"chain{n}", 50) for n in range(0, 700, 50)]
    same = [{"id": f"same{n}", "text": text(n)} for n in range(3, 700, 20)]
    return rows(tmp_path / "a.jsonl", *copies, *documents, *chain, *same, {"id": "none", "text": " "}, {"id": "short", "text": "Two words"})


def run(source: Path, *beams: dict[str, object]) -> Runs:
    settings = {"quality": {"min_words": 3, "max_repeated_line_share": 0.3}}
    arguments = [f"--source={source}", "--source-digest=", "--seed=42", f"--settings={json.dumps(settings)}"]
    return run_offline(source.parent, "ingest", OUTPUTS, arguments, *beams)


def test_the_embedded_runner_needs_no_network_and_gives_the_same_bytes(source: Path) -> None:
    runs = run(source, {}, {"runner": "embedded", "shard_megabytes": 1e-6})
    assert runs.statuses == ["0", "0"], runs.said
    assert runs.digests(0) == runs.digests(1) and runs.files(1) == set(OUTPUTS)
    metrics = json.loads((source.parent / "out1" / "metrics").read_text())
    assert (metrics["dropped_near_duplicate"], metrics["dropped_exact_duplicate"], metrics["dropped_few_words"]) == (154, 35, 1)


@pytest.mark.soak
@pytest.mark.parametrize(
    "beam",
    RUNNERS,
    ids=str,
)
def test_runners_and_workers_give_the_same_bytes(source: Path, beam: dict[str, object]) -> None:
    if beam["runner"] == "dask" and not find_spec("distributed"):
        pytest.skip("Dask is not installed")
    runs = run(source, {}, beam)
    assert runs.statuses == ["0", "0"], runs.said
    assert runs.digests(0) == runs.digests(1)
