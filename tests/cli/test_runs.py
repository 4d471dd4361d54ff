from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app


def test_gc_without_results_has_nothing_to_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "nothing to remove" in CliRunner().invoke(app, ["gc"]).stdout
