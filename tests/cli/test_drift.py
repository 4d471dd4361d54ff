"""`robo-poet drift` on a real registry and a real request log."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.drift import app
from monitoring.drift.history import History, Judged
from robo_poet.judges.drift.observations import UserScore, Window
from robo_poet.judges.drift.policy import DriftPolicy
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
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
    assert (data["action"], len(data["windows"]), data["cause"]) == ("drift", 5, "the world changed")


def test_the_report_trusts_the_keys_of_the_profile(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    author = Trust().signer().public.text
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "another user"))
    assert "is signed by an unknown key" in str(call(folder, "report").exception)
    assert "the version has no baseline yet" in call(folder, "report", "--set", f'serve.trusted_keys=["{author}"]').stdout


def test_history_shows_judged_windows_and_a_plot(folder: Path) -> None:
    store = Registry(folder / "registry", "poems")
    places = ["--registry", str(folder / "registry"), "--history", str(folder / "drift")]
    assert "no window is judged yet; to watch: " in CliRunner().invoke(app, ["history", *places]).stdout
    history, version = History(folder / "drift" / "poems"), store.released()
    for day, (action, rise) in enumerate([("cannot_tell", None), ("no_drift", 0.02), ("drift", 0.31)]):
        window = Window(86_400.0 * day, 86_400.0 * (day + 1), [UserScore(4.0, 1, 8)])
        row = {"window": f"1970-01-0{day + 1}", "users": 1, "unscored": 0.0, "perplexity": 54.6}
        row |= {"rise": rise, "low": rise - 0.05, "high": rise + 0.05} if rise is not None else {}
        evidence = {"policy": vars(DriftPolicy())}
        cause = "the world changed" if action == "drift" else ""
        snapshot = history.snapshot(version.digest, window)
        history.add(
            Judged(1, version.digest, "b" * 64, window.start, window.end, snapshot, window.end, row, action, ["why"], cause, evidence)
        )
    printed = CliRunner().invoke(app, ["history", *places, "--plot", str(folder / "drift.svg")], env={"COLUMNS": "140"})
    assert printed.exit_code == 0 and "DRIFT: the world changed" in printed.stdout and "cannot tell: why" in printed.stdout
    assert "+31%" in printed.stdout and "limit of the rise" in (folder / "drift.svg").read_text()
    narrow = CliRunner().invoke(app, ["history", *places], env={"COLUMNS": "80"}).stdout
    assert "…" not in narrow and "+26% to +36%" in narrow and "DRIFT: the" in narrow
    rows = json.loads(CliRunner().invoke(app, ["history", *places, "--json", "--windows", "2"]).stdout)
    assert [row["action"] for row in rows] == ["no_drift", "drift"]
    refused = CliRunner().invoke(app, ["compare", *places, "--window", "1970-01-09"])
    assert str(refused.exception).startswith("1970-01-09: poems has no such window; ")
    for path in (folder / "drift").rglob("*"):
        assert path.is_dir() or path.suffix in (".json", ".parquet")
