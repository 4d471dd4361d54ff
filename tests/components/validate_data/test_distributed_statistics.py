"""TFDV's statistics by several worker processes. test_main.py compares one with the plain code."""

import json
from pathlib import Path

import pytest

from components.validate_data.distributed_statistics import DistributedStatistics, GenerateStatistics
from robo_poet.corpus.parquet import write_documents
from robo_poet.distributed.run import Distributed
from robo_poet.errors import BadInput
from robo_poet.settings.beam import BeamSettings
from tests.components.offline import run_offline
from tests.components.validate_data.runs import PYTHON, needs_tfdv
from tests.components.validate_data.test_main import documents

NUMBERS = {"words": [1, None, 3], "source": ["a", "b", None], "genre": [None] * 3}


def ignored(pipeline: object, shards: object) -> None:
    """A runner whose workers see none of the files."""


def test_documents_that_no_worker_saw_are_noticed(tmp_path: Path) -> None:
    runs = Distributed(BeamSettings(runner="FlinkRunner", folder="/shared"), tmp_path, lambda done, total: None, ignored)
    statistics = DistributedStatistics(runs)
    statistics.add(NUMBERS)
    with pytest.raises(BadInput, match="^beam.folder = /shared: TFDV counted 0 of 3 documents: the workers do not see the folder"):
        statistics.proto()


def test_a_batch_comes_back_as_it_was_written(tmp_path: Path) -> None:
    runs = Distributed(BeamSettings(runner="embedded"), tmp_path, lambda done, total: None, ignored)
    statistics = DistributedStatistics(runs)
    statistics.add(NUMBERS)
    [file] = tmp_path.iterdir()
    work = GenerateStatistics(str(tmp_path))
    assert [batch.to_pydict() for batch in work.read((0, str(file)))] == [{"words": [[1], None, [3]], "source": [["a"], ["b"], None]}]
    assert list(work.read((0, str(tmp_path / "elsewhere")))) == []


OUTPUTS = ("statistics", "drift", "prompt-skew", "page", "metrics")


@needs_tfdv
@pytest.mark.soak
@pytest.mark.parametrize(
    "beam",
    [{"runner": "embedded", "workers": 2, "shard_megabytes": 1e-6}, {"runner": "dask", "workers": 2, "shard_megabytes": 1e-6}],
    ids=str,
)
def test_workers_give_the_same_bytes(tmp_path: Path, beam: dict[str, object]) -> None:
    rows = [*documents(5_000), *documents(3, id="x", date="2999-01-01", language="")]
    write_documents(tmp_path / "corpus", rows)
    settings = {"on_anomalies": "warn", "on_skew": "warn", "min_megabytes": 0, "min_sentence_tokens": 5, "on_type_token_ratio": "ignore"}
    arguments = [f"--corpus={tmp_path / 'corpus'}", "--seed=42", f"--settings={json.dumps(settings)}"]
    runs = run_offline(tmp_path, "validate_data", OUTPUTS, arguments, {}, beam, python=str(PYTHON))
    assert runs.statuses == ["0", "0"], runs.said
    assert runs.digests(0) == runs.digests(1) and runs.files(1) == set(OUTPUTS)
    assert len(json.loads((tmp_path / "out1" / "statistics").read_text())["anomalies"]) == 2
