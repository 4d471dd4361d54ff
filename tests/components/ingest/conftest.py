"""Fixtures that run the step in a temporary folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.ingest.__main__ import main
from robo_poet.deletion.suppression import list_digest


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the step with its outputs in `out/`."""
    monkeypatch.chdir(tmp_path)

    def run_step(source: Path | str = "", digest: str = "", suppression: Path | None = None, **settings: Any) -> int:
        deleted = ["--suppression", str(suppression), "--suppression-digest", list_digest(suppression)] if suppression else []
        return main(
            [*deleted, "--source", str(source), "--source-digest", digest, "--seed", "42", "--settings", json.dumps(settings),
             "--corpus", "out/corpus", "--dropped", "out/dropped",
             "--metrics", "out/metrics", "--executor-output", "out/executor.json"]
        )  # fmt: skip

    return run_step


@pytest.fixture
def poems(tmp_path: Path) -> Path:
    folder = tmp_path / "poems"
    (folder / "subfolder").mkdir(parents=True)
    for name, text in {
        "b.txt": "Second poem.\r\nTwo lines.",
        "a.md": "The first poem, in English words.",
        "subfolder/c.TXT": "Un poème en français, très court.",
    }.items():
        (folder / name).write_text(text, newline="")
    (folder / "notes.pdf").write_bytes(b"\0")
    return folder


@pytest.fixture
def one_line(capfd: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Return a function that returns the error, and checks that it is one line and that there is no output."""

    def read() -> str:
        lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith(("[", "warning: "))]
        assert len(lines) == 1, lines
        assert lines[0].startswith("error: ")
        assert not Path("out").exists() or not list(Path("out").iterdir())
        return lines[0]

    return read
