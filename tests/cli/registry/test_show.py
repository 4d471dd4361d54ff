"""Covers: opening."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.registry import app
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry

Call = Callable[..., Result]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["list"], ["1", "champion", "first", "rejected", "said [so]"]),
        (
            ["show", "1"],
            [
                "poems/1 is champion (first)",
                "verdict accepted",
                "perplexity",
                "40.0",
                "2.000 to 3.000",
                "not measured",
                "<= 50",
                "poems.csv",
                "local",
                "train.epochs",
                "weights",
                "register",
            ],
        ),
        (["verify"], ["the log and 2 versions match what was registered"]),
        (["verify", "2"], ["the log and 1 version match what was registered"]),
        (["log"], ["promote", "bob", "said [so]"]),
    ],
)
def test_tables_show_versions_and_metrics(folder: Path, words: list[str], expected: list[str], call: Call) -> None:
    result = call(folder, *words)
    assert result.exit_code == 0
    assert [word for word in expected if word not in result.stdout] == []


STRICT = {"verdict": "rejected", "gates": [{"metric": "perplexity", "bound": "<= 30", "verdict": "fail"}], "reason": "above 30"}


def test_the_latest_decision_and_the_history_are_shown(folder: Path, call: Call) -> None:
    registry = Registry(folder, "poems")
    registry.judge_again(1, STRICT, {"perplexity": 41.0}, verdict="rejected", who="ada", why="perplexity is 41, above 30", profile="strict")
    shown = call(folder, "show", "1").stdout
    for text in ("poems/1 is champion, contested (first)", "latest of 2 decisions: rejected by the gates of strict on", "but it stays champion",
                 "41.0", "<= 30", "judge_again: rejected"):  # fmt: skip
        assert text in shown
    assert "champion, contested" in call(folder, "list").stdout and "judge_again: rejected" in call(folder, "log").stdout
    listed = json.loads(call(folder, "list", "--json").stdout)[0]
    assert (listed["verdict"], listed["decision_count"], listed["contested"], listed["perplexity"]) == ("rejected", 2, True, 41)
    exact = json.loads(call(folder, "show", "1", "--json").stdout)
    assert [decision["verdict"] for decision in exact["decisions"]] == ["accepted", "rejected"]
    assert exact["latest_decision"] == {**STRICT, "metrics": {"perplexity": 41}}
    assert exact["metrics"]["perplexity"] == 40.0  # of the manifest


def test_an_override_stays_visible_after_a_further_decision(folder: Path, call: Call) -> None:
    registry = Registry(folder, "poems")
    registry.override(2, who="grace", why="for the exhibition")
    registry.judge_again(2, STRICT, {"perplexity": 80.0}, verdict="rejected", who="ada", why="perplexity is 80, above 30")
    shown = call(folder, "show", "2").stdout
    assert "candidate, overridden, contested" in shown and "for the exhibition" in shown and "perplexity is 80, above 30" in shown


def test_json_has_the_same_facts(folder: Path, call: Call) -> None:
    listed = json.loads(call(folder, "list", "--json").stdout)
    assert [(version["version"], version["stage"], version["corpus"]) for version in listed] == [
        (1, "champion", "poems.csv"),
        (2, "rejected", "poems.csv"),
    ]
    assert (listed[0]["bits_per_byte"], listed[0]["changed"]["train.epochs"], listed[0]["date"][:2]) == (2.25, 3, "20")
    shown = json.loads(call(folder, "show", "2", "--json").stdout)
    assert (shown["metrics"]["perplexity"], shown["lineage"]["settings"]["seed"]) == (80.0, 42)
    assert [entry["action"] for entry in shown["history"]] == ["register"]
    verified = json.loads(call(folder, "verify", "--json").stdout)
    assert verified["verified"] == [{"model": "poems", "version": 1}, {"model": "poems", "version": 2}]
    assert verified["signed_by"] == [json.loads(CliRunner().invoke(app, ["key", "--json"]).stdout)["id"]]
    assert [entry["index"] for entry in json.loads(call(folder, "log", "--json").stdout)] == [1, 2, 3]


@pytest.mark.parametrize(("command", "answer"), [("list", []), ("verify", {"verified": [], "signed_by": []}), ("log", [])])
def test_an_empty_registry_names_the_next_command(tmp_path: Path, command: str, answer: object, call: Call) -> None:
    assert "the registry is empty; to train a model: .venv/bin/robo-poet run" in call(tmp_path / "none", command).stdout
    assert json.loads(call(tmp_path / "none", command, "--json").stdout) == answer


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "9"], "there is no version 9; versions are 1 to 2"),
        (["show", "0"], "there is no version 0"),
        (["show", "one"], "'one' is not a version number"),
        (["verify", "²"], "'²' is not a version number"),
    ],
)
def test_an_invalid_number_is_refused(folder: Path, words: list[str], message: str, call: Call) -> None:
    error = call(folder, *words).exception
    assert isinstance(error, BadInput)
    assert message in str(error)


def test_a_changed_version_fails_verification(folder: Path, call: Call) -> None:
    (next((folder / "poems" / "versions").iterdir()) / "new").write_text("")
    error = call(folder, "verify").exception
    assert isinstance(error, BadInput)
    assert "new was added" in str(error)


def test_help_needs_no_registry_and_no_rich_tables() -> None:
    code = "import sys, cli.registry; sys.exit(any(name.startswith(('robo_poet.registry', 'rich.table')) for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_version_folder_without_a_log_entry_fails_verification(folder: Path) -> None:
    for entry in (folder / "poems" / "log").iterdir():
        entry.unlink()
    Registry(folder, "poems").signed_log.accept_head()
    with pytest.raises(BadInput, match="2 version folders without an entry in the log"):
        CliRunner().invoke(app, ["verify", "--registry", str(folder)], catch_exceptions=False)


def test_a_table_fits_the_terminal(two_models: Path, call: Call) -> None:
    for columns in (80, 100):
        lines = call(two_models, "list", columns=columns).stdout.splitlines()
        assert max(map(len, lines)) <= columns
        assert [line.split()[0] for line in lines[1:4]] == ["odes/1", "poems/1", "poems/2"]
    wide = call(two_models, "list").stdout
    assert [word for word in ("poems.csv", "odes.csv", "40.0", "2.250", "said [so]") if word not in wide] == []


def test_a_version_is_shown_without_nested_json(folder: Path, call: Call) -> None:
    shown = call(folder, "show", "poems/2", columns=100).stdout
    assert "{" not in shown and "0123456789abcdef" not in shown
    assert "of 2 steps; --json prints their digests" in shown and "2 of 3 differ from the profile" in shown
    assert "0123456789abcdef" in call(folder, "show", "poems/2", "--json").stdout


def test_a_purged_version_is_listed_and_keeps_its_history(folder: Path, call: Call) -> None:
    Registry(folder, "poems").purge(2, who="ada", why="disk space")
    listed = call(folder, "list")
    assert "rejected, purged" in listed.stdout and listed.stderr == ""
    shown = call(folder, "show", "2").stdout
    assert "poems/2 is rejected, purged" in shown and "disk space" in shown
    assert json.loads(call(folder, "show", "2", "--json").stdout)["purged"] is True
    error = call(folder, "compare", "1", "2").exception
    assert isinstance(error, BadInput) and "the files were purged" in str(error)


def test_a_damaged_manifest_is_a_warning_in_the_list(folder: Path, call: Call) -> None:
    manifest = Registry(folder, "poems").version(2).folder / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text("{}")
    listed = call(folder, "list")
    assert "poems/1" in listed.stdout and "poems/2" in listed.stdout
    assert listed.stderr.startswith("warning: poems/2: ") and "the manifest was changed" in listed.stderr


def test_versions_of_two_models_are_compared(two_models: Path, call: Call, tmp_path: Path) -> None:
    text = call(two_models, "compare", "1", "odes/1", "--model", "poems", columns=100).stdout
    assert "A: poems/1" in text and "B: odes/1" in text and "Measured on different texts" in text
    page = tmp_path / "compare.html"
    assert str(page) in call(two_models, "compare", "poems/1", "odes/1", "--html", str(page)).stdout
    assert "Measured on different texts" in page.read_text()
    same = json.loads(call(two_models, "compare", "poems/1", "poems/2", "--json").stdout)
    assert same["notes"] == []
    assert [row["difference"] for row in same["metrics"] if row["metric"] == "perplexity"] == ["+40.0"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["poems/1", "songs/1"], "there is no model songs"),
        (["1", "odes/1"], "the registry has several models"),
        (["poems/1", "poems/7"], "there is no version 7"),
        (["poems/1", "poems/one"], "'poems/one' is not a version number"),
    ],
)
def test_a_comparison_with_nothing_is_refused(two_models: Path, words: list[str], message: str, call: Call) -> None:
    error = call(two_models, "compare", *words).exception
    assert isinstance(error, BadInput) and message in str(error)


def test_two_names_of_a_model_are_refused(two_models: Path, call: Call) -> None:
    error = call(two_models, "show", "odes/1", "--model", "poems").exception
    assert isinstance(error, BadInput) and "two models are named: odes and poems" in str(error)
