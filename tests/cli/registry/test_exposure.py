import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from robo_poet.registry.registry import Registry

Call = Callable[..., Result]


def test_the_share_of_users_is_shown(folder: Path, call: Call) -> None:
    registry = Registry(folder, "poems")
    registry.override(2, who="ada", why="good enough")
    registry.start_canary(2, who="ada", why="try it")
    assert "serves 0 % of the users, before the first step\n" in call(folder, "show", "2").stdout
    registry.set_share(2, 0, 0.05, who="controller", why="no harm")
    registry.hold_canary(2, who="ada", why="a party")
    assert "serves 5 % of the users, step 1, held: a party\n" in call(folder, "show", "2").stdout
    assert "canary, 5 %" in call(folder, "list").stdout
    exposure = {"share": 0.05, "step": 0, "since_entry": 5, "held": "a party"}
    assert json.loads(call(folder, "show", "2", "--json").stdout)["exposure"] == exposure
    registry.promote(2, who="ada", why="done", watch_share=0.1)
    assert "serves 10 % of the users, while the champion is watched\n" in call(folder, "show", "1").stdout
    printed = call(folder, "log").stdout
    assert "set_share 5 %" in printed and "promote, watch 10 %" in printed and "hold_canary" in printed
