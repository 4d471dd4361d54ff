from pathlib import Path

from typer.testing import CliRunner

from cli.__main__ import app


def test_compile_writes_the_pipeline_and_reports_its_size(tmp_path: Path) -> None:
    output = tmp_path / "pipelines" / "training.yaml"
    result = CliRunner().invoke(app, ["compile", "--profile", "local", "--output", str(output)])
    assert result.exit_code == 0
    assert result.stdout == f"wrote {output} ({output.stat().st_size / 1e3:.0f} kB, profile local)\n"
    assert "pipelineInfo" in output.read_text()
