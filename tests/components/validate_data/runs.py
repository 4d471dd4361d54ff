"""Runs of the step in its own environment, all in one process without a network: importing TensorFlow Data Validation takes 5 s."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.components.offline import BLOCK

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-validate" / "bin" / "python"
needs_tfdv = pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-validate")
PROGRAM = (
    f"{BLOCK}\nblock_network()"
    + """
import contextlib, io, json, sys
from components.validate_data.__main__ import main
for argv in json.load(sys.stdin):
    error = io.StringIO()
    with contextlib.redirect_stderr(error):
        status = main(argv)
    print(json.dumps([status, error.getvalue()]))
"""
)


@dataclass(frozen=True)
class Run:
    """The result of a run.

    Args:
        lines: of standard error, except progress.
        folder: of its outputs.
    """

    status: int
    lines: list[str]
    folder: Path

    def json(self, name: str) -> Any:
        """Return an output in JSON."""
        return json.loads((self.folder / name).read_text())

    @property
    def page(self) -> str:
        """Return the page."""
        return (self.folder / "page").read_text()


def run_all(folder: Path, cases: Sequence[Mapping[str, Any]]) -> list[Run]:
    """Run the step once for each case: its `corpus`, `settings` and other parameters."""
    calls, folders = [], []
    for number, case in enumerate(cases):
        out = folder / f"out-{number}"
        outputs = {name: out / name for name in ("statistics", "drift", "prompt_skew", "page", "metrics")} | {
            "executor-output": out / "executor"
        }
        values = {"seed": 42, **case, "settings": json.dumps(case.get("settings", {})), **outputs}
        calls.append([part for name, value in values.items() for part in (f"--{name.replace('_', '-')}", str(value))])
        folders.append(out)
    process = subprocess.run(
        [PYTHON, "-c", PROGRAM], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, input=json.dumps(calls),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    results = [json.loads(line) for line in process.stdout.splitlines()]
    return [
        Run(status, [line for line in text.splitlines() if not line.startswith("[")], out)
        for (status, text), out in zip(results, folders, strict=True)
    ]
