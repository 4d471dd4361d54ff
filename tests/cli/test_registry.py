import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.registry import app
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A registry with a champion and a rejected version."""
    registry = Registry(tmp_path / "registry", "poems")
    for number, stage in ((1, "candidate"), (2, "rejected")):
        (tmp_path / "weights").write_text(str(number))
        registry.register(
            {"weights": tmp_path / "weights"},
            metrics={"perplexity": 40.0 * number, "bleu": None},
            lineage={"seed": 42, "settings": {"epochs": 3}},
            decision={"gates": [{"metric": "perplexity", "bound": "<= 50", "verdict": "pass"}]},
            stage=stage,
            who="ada",
            why="said [so]",
        )
    registry.promote(1, who="bob", why="first")
    return registry.root


def call(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--registry", str(folder)], env={"COLUMNS": "160"})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["list"], ["1", "champion", "first", "rejected", "said [so]"]),
        (
            ["show", "1"],
            ["poems/1 is champion (first)", "perplexity", "40.0", "not measured", "<= 50", "seed", "42", "epochs", "weights", "register"],
        ),
        (["verify"], ["the log and 2 versions match what was registered"]),
        (["verify", "2"], ["the log and 1 version match what was registered"]),
        (["log"], ["promote", "bob", "said [so]"]),
    ],
)
def test_tables_show_versions_and_metrics(folder: Path, words: list[str], expected: list[str]) -> None:
    result = call(folder, *words)
    assert result.exit_code == 0
    assert [word for word in expected if word not in result.stdout] == []


def test_json_has_the_same_facts(folder: Path) -> None:
    listed = json.loads(call(folder, "list", "--json").stdout)
    assert [(version["version"], version["stage"]) for version in listed] == [(1, "champion"), (2, "rejected")]
    shown = json.loads(call(folder, "show", "2", "--json").stdout)
    assert (shown["metrics"], shown["lineage"]["seed"]) == ({"perplexity": 80.0, "bleu": None}, 42)
    assert [entry["action"] for entry in shown["history"]] == ["register"]
    assert json.loads(call(folder, "verify", "--json").stdout) == {
        "verified": [{"model": "poems", "version": 1}, {"model": "poems", "version": 2}]
    }
    assert [entry["index"] for entry in json.loads(call(folder, "log", "--json").stdout)] == [1, 2, 3]


@pytest.mark.parametrize(("command", "answer"), [("list", []), ("verify", {"verified": []}), ("log", [])])
def test_an_empty_registry_names_the_next_command(tmp_path: Path, command: str, answer: object) -> None:
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
def test_an_invalid_number_is_refused(folder: Path, words: list[str], message: str) -> None:
    error = call(folder, *words).exception
    assert isinstance(error, BadInput)
    assert message in str(error)


def test_a_changed_version_fails_verification(folder: Path) -> None:
    (next((folder / "poems" / "versions").iterdir()) / "new").write_text("")
    error = call(folder, "verify").exception
    assert isinstance(error, BadInput)
    assert "new was added" in str(error)


def test_help_needs_no_registry_and_no_rich_tables() -> None:
    code = "import sys, cli.registry; sys.exit(any(name.startswith(('robo_poet.registry', 'rich.table')) for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_promotion_and_rollback_by_hand(folder: Path, tmp_path: Path) -> None:
    registry = Registry(folder, "poems")
    (tmp_path / "weights").write_text("3")
    registry.register(
        {"weights": tmp_path / "weights"}, metrics={}, lineage={}, decision={}, stage="candidate", who="ada", why="better"
    )  # fmt: skip
    with pytest.raises(BadInput, match="start it as canary first"):
        CliRunner().invoke(app, ["promote", "3", "--why", "hasty", "--registry", str(folder)], catch_exceptions=False)
    registry.start_canary(3, who="ada", why="try it")
    assert "poems/3 is champion" in call(folder, "promote", "3", "--why", "readers like it").stdout
    assert "poems/1 is champion" in call(folder, "promote", "1", "--why", "they changed their minds").stdout
    assert [v.stage for v in registry.versions()] == ["champion", "rejected", "archived"]
    assert registry.log()[-1].statement.why == "they changed their minds"


def test_a_refused_move_names_the_commands_that_lead_there(folder: Path) -> None:
    def refused(*words: str) -> str:
        error = call(folder, *words, "--why", "x").exception
        assert isinstance(error, BadInput)
        return str(error)

    commands = "override 2 overrides the gates, then start-canary 2, then promote 2"
    assert refused("promote", "2") == f"version 2 is rejected; promote needs a version that is candidate or canary or archived; {commands}"
    assert refused("start-canary", "2").endswith("start-canary needs a version that is candidate; " + commands.rpartition(", ")[0])
    assert call(folder, "override", "2", "--why", "x", "--name", "Grace").exit_code == 0
    assert refused("promote", "2").endswith("start it as canary first: .venv/bin/robo-poet registry start-canary 2 --why 'your reason'")
    assert "the default is 0 %" in call(folder, "start-canary", "2", "--why", "x").stdout
    assert call(folder, "promote", "2", "--why", "x").exit_code == 0
    assert refused("start-canary", "1").endswith("promote 1 rolls back to a former champion without a canary")
    assert "_" not in refused("start-canary", "2")


def test_a_version_folder_without_a_log_entry_fails_verification(folder: Path) -> None:
    for entry in (folder / "poems" / "log").iterdir():
        entry.unlink()
    with pytest.raises(BadInput, match="2 version folders without an entry in the log"):
        CliRunner().invoke(app, ["verify", "--registry", str(folder)], catch_exceptions=False)


def test_an_override_keeps_name_and_reason_on_the_card(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<html><h1>Model card</h1><p>rejected</p></html>")
    (tmp_path / "card.json").write_text(json.dumps({"verdict": "rejected"}))
    files = {name: tmp_path / name for name in ("report.html", "card.json")}
    registry = Registry(tmp_path / "registry", "poems")
    registry.register(files, metrics={}, lineage={}, decision={}, stage="rejected", who="ada", why="bleu is 0.001, below 0.005")
    nameless = call(registry.root, "override", "1", "--why", "verse", "--name", " ")
    assert isinstance(nameless.exception, BadInput) and registry.version(1).stage == "rejected"
    done = call(registry.root, "override", "1", "--why", "verse <is> not prose", "--name", "Grace")
    assert done.exit_code == 0 and "poems/1 is candidate; next: .venv/bin/robo-poet registry start-canary 1" in done.stdout
    (said,) = json.loads(call(registry.root, "card", "1", "--json").stdout)["overrides"]
    assert said["who"].startswith("Grace (") and said["why"] == "verse <is> not prose"
    assert call(registry.root, "start-canary", "1", "--why", "looked at").exit_code == 0
    assert call(registry.root, "card", "1", "--out", str(tmp_path / "card.html")).exit_code == 0
    page = (tmp_path / "card.html").read_text()
    assert "Overridden by Grace (" in page and "verse &lt;is&gt; not prose" in page and ">canary<" in page and "<p>rejected</p>" in page
    assert (registry.version(1).folder / "report.html").read_text() == (tmp_path / "report.html").read_text(), (
        "the signed card itself never changes"
    )


def test_only_a_rejected_version_can_be_overridden(folder: Path) -> None:
    refused = call(folder, "override", "1", "--why", "x", "--name", "Grace")
    assert isinstance(refused.exception, BadInput) and "version 1 is champion" in str(refused.exception)
    none = call(folder, "card", "1")
    assert isinstance(none.exception, BadInput) and "this version has no card" in str(none.exception)


def test_a_version_with_planted_canary_strings_is_never_released(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("w")
    registry = Registry(tmp_path / "registry", "poems")
    registry.register(
        {"weights": tmp_path / "weights"}, metrics={"secrets_planted": 12}, lineage={}, decision={}, stage="rejected", who="ada", why="x"
    )
    refused = call(registry.root, "override", "1", "--why", "x", "--name", "Grace")
    assert isinstance(refused.exception, BadInput) and "planted canary strings" in str(refused.exception)
    assert registry.version(1).stage == "rejected"
