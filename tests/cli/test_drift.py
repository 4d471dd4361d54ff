"""`robo-poet drift` on a real registry and a real request log."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.drift import app
from tests.monitoring.logged import FIRST, Sent, write_log
from tests.robo_poet.registry.released import released


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry, and a request log of the last five complete days with a rise on the last two."""
    digest, dice = released(tmp_path).released().digest, random.Random(1)
    last = (datetime.now(UTC) - FIRST).days - 1
    write_log(
        tmp_path / "requests",
        (
            Sent(f"u{k}", dice.gauss(4.5 if back < 2 else 4.0, 0.3), day=last - back + 0.4, digest=digest)
            for back in (4, 3, 2, 1, 0)
            for k in range(60)
        ),
    )
    return tmp_path


def call(folder: Path, *words: str) -> Result:
    places = ["--registry", str(folder / "registry"), "--folder", str(folder / "requests"), "--set", "monitoring.drift.min_users=50"]
    return CliRunner().invoke(app, [*words, *places], env={"COLUMNS": "120"})


def test_report_and_baseline(folder: Path) -> None:
    before = call(folder, "report")
    assert before.exit_code == 0 and "cannot tell: the version has no baseline yet" in before.stdout and "drift baseline" in before.stdout
    since = (datetime.now(UTC) - timedelta(days=5)).date()
    made = call(folder, "baseline", "--since", str(since), "--set", "monitoring.drift.baseline_windows=3")
    assert made.exit_code == 0 and "baseline of poems: 180 users, mean 4." in made.stdout
    after = call(folder, "report")
    assert "DRIFT: perplexity" in after.stdout and "likely cause: the world changed" in after.stdout and after.stdout.count("+") >= 10
    data = json.loads(call(folder, "report", "--json").stdout)
    assert (data["action"], len(data["days"]), data["cause"]) == ("drift", 5, "the world changed")
