import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.registry import app
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry

Call = Callable[..., Result]


def test_promotion_and_rollback_by_hand(folder: Path, tmp_path: Path, call: Call) -> None:
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


def test_the_canary_gets_users_by_hand(folder: Path, call: Call, tmp_path: Path) -> None:
    registry = Registry(folder, "poems")
    call(folder, "override", "2", "--why", "x", "--name", "Grace")
    assert isinstance(call(folder, "set-share", "2", "--share", "0.1", "--why", "x").exception, BadInput)
    call(folder, "start-canary", "2", "--why", "x")
    assert "poems/2 is canary and serves 10 % of the users" in call(folder, "set-share", "2", "--share", "0.1", "--why", "first").stdout
    assert "serves 25 % of the users" in call(folder, "set-share", "2", "--share", "0.25", "--why", "more").stdout
    assert (registry.state().canary_step, registry.state().canary_share) == (1, 0.25)
    for share in ("0", "1", "-1", "nan"):
        assert isinstance(call(folder, "set-share", "2", "--share", share, "--why", "x").exception, BadInput)


def test_a_refused_move_names_the_commands_that_lead_there(folder: Path, call: Call) -> None:
    def refused(*words: str) -> str:
        error = call(folder, *words, "--why", "x").exception
        assert isinstance(error, BadInput)
        return str(error)

    robo_poet = ".venv/bin/robo-poet registry"
    override = f"{robo_poet} override 2 --model poems --name 'your name' --why 'your reason'"
    canary, promotion = (f"{robo_poet} {move} 2 --model poems --why 'your reason'" for move in ("start-canary", "promote"))
    commands = f"to override the gates: {override} && {canary} && {promotion}"
    assert refused("promote", "2") == f"version 2 is rejected; promote needs a version that is candidate or canary or archived; {commands}"
    assert refused("start-canary", "2").endswith("start-canary needs a version that is candidate; " + commands.rpartition(" && ")[0])
    assert call(folder, "override", "2", "--why", "x", "--name", "Grace").exit_code == 0
    assert refused("promote", "2").endswith(
        "start it as canary first: .venv/bin/robo-poet registry start-canary 2 --model poems --why 'your reason'"
    )
    assert "serves 0 % of the users" in call(folder, "start-canary", "2", "--why", "x").stdout
    assert call(folder, "promote", "2", "--why", "x").exit_code == 0
    assert refused("start-canary", "1").endswith(
        "roll back to it: .venv/bin/robo-poet registry promote 1 --model poems --why 'your reason'"
    )
    assert "_" not in refused("start-canary", "2")


def test_an_override_keeps_name_and_reason_on_the_card(tmp_path: Path, call: Call) -> None:
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


def test_only_a_rejected_version_can_be_overridden(folder: Path, call: Call) -> None:
    refused = call(folder, "override", "1", "--why", "x", "--name", "Grace")
    assert isinstance(refused.exception, BadInput) and "version 1 is champion" in str(refused.exception)
    none = call(folder, "card", "1")
    assert isinstance(none.exception, BadInput) and "this version has no card" in str(none.exception)


def test_a_version_with_planted_canary_strings_is_never_released(tmp_path: Path, call: Call) -> None:
    (tmp_path / "weights").write_text("w")
    registry = Registry(tmp_path / "registry", "poems")
    registry.register(
        {"weights": tmp_path / "weights"}, metrics={"secrets_planted": 12}, lineage={}, decision={}, stage="rejected", who="ada", why="x"
    )
    refused = call(registry.root, "override", "1", "--why", "x", "--name", "Grace")
    assert isinstance(refused.exception, BadInput) and "planted canary strings" in str(refused.exception)
    assert registry.version(1).stage == "rejected"
