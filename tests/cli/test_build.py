from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from robo_poet.errors import BadInput


def test_compile_writes_the_pipeline_and_reports_its_size(tmp_path: Path) -> None:
    output = tmp_path / "pipelines" / "training.yaml"
    result = CliRunner().invoke(app, ["compile", "--profile", "local", "--output", str(output)])
    assert result.exit_code == 0
    assert result.stdout == f"wrote {output} ({output.stat().st_size / 1e3:.0f} kB, profile local)\n"
    assert "pipelineInfo" in output.read_text()


def test_images_for_a_cluster_need_a_base_with_a_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("pipelines.images.build.make_images", lambda groups, *, base, **_: asked.append(base) or [])
    for words, exit_code in (
        (["--set", "cluster.image_prefix=registry.example/poet"], 2),
        (["--set", "cluster.image_prefix=registry.example/poet", "--unpinned-base"], 0),
        ([], 0),
    ):
        result = CliRunner().invoke(app, ["images", "--base", "python:3.11-slim", *words])
        assert result.exit_code == exit_code or (isinstance(result.exception, BadInput) and exit_code == 2)
    assert asked == ["python:3.11-slim"] * 2
