"""Checks before any call of a cluster. tests/pipelines/cluster runs the commands against a server."""

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from robo_poet.errors import BadInput


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "NAMESPACE", "PIPELINE_ROOT", "TOKEN", "TOKEN_FILE"):
        monkeypatch.delenv(f"ROBO_POET_CLUSTER_{name}", raising=False)


@pytest.mark.parametrize(
    "words", [["submit"], ["wait", "run-1"], ["stop", "run-1"], ["schedule", "list"], ["schedule", "disable", "weekly"]]
)
def test_without_a_cluster_each_command_is_refused(words: list[str]) -> None:
    assert isinstance(CliRunner().invoke(app, ["cluster", *words]).exception, BadInput)


def test_a_cron_of_five_fields_is_refused_before_anything_else() -> None:
    error = CliRunner().invoke(app, ["cluster", "schedule", "create", "weekly", "30 3 * * MON"]).exception
    assert isinstance(error, BadInput) and "second, minute, hour" in str(error)
