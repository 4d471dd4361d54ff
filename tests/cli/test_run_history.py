import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.__main__ import app
from robo_poet.errors import BadInput

OLD = {"status": "succeeded", "seconds": 12.4, "metrics": {"perplexity": 41.25}, "version": 3, "stage": "champion"}  # of an older release
NEW: dict[str, Any] = {
    "status": "succeeded", "seconds": 60.0, "metrics": {"perplexity": 40.0, "bits_per_byte": 2.25}, "verdict": "accepted", "version": 4,
    "model": "poems", "source": "/home/ann/My poems", "stage": "canary", "profile": "local", "settings": {"train": {"epochs": 10}},
    "changed": {"train.epochs": 10, "gates.perplexity": "<= 50"}, "gates": [{"metric": "bleu", "verdict": "open"}],
    "outputs": {"ingest": {"parameters": {"corpus_digest": "c" * 64}}},
}  # fmt: skip
PARAMETERS = {"model_name": "odes", "source": "/home/ann/odes", "lineage": {"profile": "auto", "changed": {"seed": 7}}}
FIRST, SECOND, KILLED = "20260301T101112.131-aaaa", "20260302T101112.131-bbbb", "20260303T101112.131-abcd"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs: one of an older release, one of this release, and one that was killed."""
    for name in (FIRST, SECOND, KILLED):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "events.jsonl").write_text("")
    (tmp_path / "runs" / FIRST / "summary.json").write_text(json.dumps(OLD))
    (tmp_path / "runs" / SECOND / "summary.json").write_text(json.dumps(NEW))
    (tmp_path / "runs" / KILLED / "events.jsonl").write_text(json.dumps({"detail": {"parameters": PARAMETERS}}) + '\n{"half')
    (tmp_path / "runs" / "latest").symlink_to(KILLED)
    return tmp_path / "runs"


def call(runs: Path, *words: str, columns: int = 200) -> Result:
    return CliRunner().invoke(app, ["runs", *words, "--runs", str(runs)], env={"COLUMNS": str(columns)})


def test_list_shows_the_latest_run_first(runs: Path) -> None:
    _, killed, new, old = call(runs, "list").stdout.splitlines()
    assert killed.split() == [KILLED, "2026-03-03", "10:11", "unfinished", "odes", "odes", "auto", "seed=7"]
    assert new.split() == [
        SECOND, "2026-03-02", "10:11", "succeeded", "60", "My", "poems", "poems/4", "local", "accepted,", "1", "open", "canary", "40.0",
        "2.250", "train.epochs=10,", "gates.perplexity", "<=", "50",
    ]  # fmt: skip
    assert old.split() == [FIRST, "2026-03-01", "10:11", "succeeded", "12", "3", "champion", "41.2"]


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_list_fits_the_terminal(runs: Path, columns: int) -> None:
    lines = call(runs, "list", columns=columns).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    names = [line.split()[0] for line in lines[1:]]
    assert [name for name in ("bbbb" if columns < 120 else SECOND, "aaaa" if columns < 120 else FIRST) if name not in names] == []
    shown = " ".join(" ".join(lines).split())
    assert [word for word in ("poems/4", "accepted, 1 open", "2.250", "train.epochs=10") if word not in shown] == []


def test_equal_endings_are_shown_as_whole_ids(runs: Path) -> None:
    (runs / KILLED).rename(runs / KILLED.replace("abcd", "aaaa"))
    assert FIRST in call(runs, "list", columns=100).stdout


def test_list_as_json_has_all_figures(runs: Path) -> None:
    killed, new, old = json.loads(call(runs, "list", "--json").stdout)
    assert (new["run"], new["changed"]["train.epochs"], new["open_questions"], new["metrics"]["bits_per_byte"]) == (SECOND, 10, 1, 2.25)
    assert (old["profile"], old["changed"], killed["status"], killed["seconds"]) == ("", None, "unfinished", None)


def test_list_names_the_number_of_runs_that_it_omits(runs: Path) -> None:
    assert "2 earlier runs are not listed; --last 3 lists all" in call(runs, "list", "--last", "1").stdout


def test_list_without_runs_names_the_next_command(tmp_path: Path) -> None:
    assert f"{tmp_path}/none: no runs; to start one: .venv/bin/robo-poet run; to list" in call(tmp_path / "none", "list").stdout
    assert json.loads(call(tmp_path / "none", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": "long"},
        {"metrics": {"perplexity": "low"}},
        {"gates": {"perplexity": 1}},
        {"version": "three"},
        {"outputs": [1]},
        {"model": 7},
    ],
)
def test_a_summary_changed_by_hand_is_unreadable_and_does_not_hide_the_others(runs: Path, change: dict[str, Any]) -> None:
    path = runs / FIRST / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    _, killed, new, old = call(runs, "list").stdout.splitlines()
    assert (killed.split()[0], new.split()[0], old.split()[:4]) == (KILLED, SECOND, [FIRST, "2026-03-01", "10:11", "unreadable"])
    compared = call(runs, "compare", FIRST, SECOND)
    assert compared.exit_code != 0 and f"{FIRST}/summary.json: not as a run writes it" in str(compared.exception)


@pytest.mark.parametrize("run", [FIRST, "aaaa", "20260301"])
def test_show_prints_the_summary(runs: Path, run: str) -> None:
    assert json.loads(call(runs, "show", run).stdout) == OLD


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (KILLED, "the run has no summary: it is still running, or it was killed"),
        ("latest", "the run has no summary"),
        ("20260404", "no such run; .venv/bin/robo-poet runs list shows the runs"),
        ("202603", f"3 runs match; give more of the ID: {FIRST}, {SECOND}, {KILLED}"),
    ],
)
def test_a_run_that_cannot_be_shown_is_refused(runs: Path, run: str, message: str) -> None:
    for words in (["show", run], ["compare", "aaaa", run]):
        error = call(runs, *words).exception
        assert isinstance(error, BadInput) and message in str(error)


def test_two_runs_are_compared(runs: Path, tmp_path: Path) -> None:
    text = call(runs, "compare", "aaaa", "bbbb", columns=100).stdout
    expected = [f"A: {FIRST}", f"B: {SECOND}", "It is not known whether both were measured on the same texts", "train.epochs=10", "2.250"]
    assert [word for word in expected if word not in text] == []
    call(runs, "compare", "aaaa", "bbbb", "--html", str(tmp_path / "page.html"))
    assert f"<h1>A: {FIRST}, B: {SECOND}</h1>" in (tmp_path / "page.html").read_text()
    assert json.loads(call(runs, "compare", "aaaa", "bbbb", "--json").stdout)["names"] == [FIRST, SECOND]


def test_samples_of_an_older_run_come_from_its_card(runs: Path) -> None:
    card = runs / "card.json"
    outputs = {"write-report": {"artifacts": {"card": {"path": str(card)}}}}
    (runs / FIRST / "summary.json").write_text(json.dumps(OLD | {"outputs": outputs}))
    assert json.loads(call(runs, "compare", "aaaa", "bbbb", "--json").stdout)["samples"] == []  # `gc` removed the card
    card.write_text(json.dumps({"samples": {"drawn": [{"prompt": "O", "text": " sea"}]}}))
    assert json.loads(call(runs, "compare", "aaaa", "bbbb", "--json").stdout)["samples"][0]["samples"][0]["text"] == " sea"
