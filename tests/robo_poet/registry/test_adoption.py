"""A registry of form 1: one log without model names, as releases before named models wrote it."""

import json
from pathlib import Path

import pytest

from robo_poet.digest import digest_bytes
from robo_poet.errors import BadInput
from robo_poet.registry.adoption import KEPT_LOG, adopt
from robo_poet.registry.log.entry import Corrupt
from robo_poet.registry.names import model_names
from robo_poet.registry.registry import Registry
from tests.old_form import write_old_form


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A registry of form 1 with a champion and a rejected version."""
    write_old_form(tmp_path / "registry")
    return tmp_path / "registry"


def test_an_old_registry_is_refused_with_the_command_that_takes_it_over(old: Path) -> None:
    for use in (lambda: Registry(old, "poems"), lambda: model_names(old)):
        with pytest.raises(BadInput, match="has the old form, without names of models; take it over: .*robo-poet registry adopt"):
            use()


def test_adoption_keeps_numbers_stages_history_and_files(old: Path) -> None:
    last = (old / "log" / "00000003.json").read_bytes()
    assert adopt(old, "poems", source="/poems", who="bob", why="written by release 1.0") == (2, [])
    registry = Registry(old, "poems")
    assert [(version.number, str(version.stage)) for version in registry.verify()] == [(1, "champion"), (2, "rejected")]
    assert registry.sources() == ("/poems",)
    entries = registry.log()
    assert [entry.statement.who for entry in entries] == ["bob", "ada", "ada", "ada", "bob"]
    assert entries[0].statement.details["form_1_head"] == digest_bytes(last)
    assert (registry.folder / KEPT_LOG / "00000003.json").read_bytes() == last
    assert sorted(path.name for path in old.iterdir()) == ["poems"]
    with pytest.raises(BadInput, match="nothing needs to be taken over"):
        adopt(old, "letters", source="/poems", who="bob", why="written by release 1.0")


def test_an_adoption_killed_before_it_removed_the_old_log_is_finished_by_the_next(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("robo_poet.registry.adoption.shutil.rmtree", lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            adopt(old, "poems", source="/poems", who="bob", why="written by release 1.0")
    assert (old / "log").is_dir()
    assert adopt(old, "poems", source="/poems", who="bob", why="written by release 1.0") == (2, [])
    assert Registry(old, "poems").champion() is not None


def test_a_model_of_the_same_name_is_not_replaced(old: Path, tmp_path: Path) -> None:
    Registry(tmp_path / "other", "poems").add_source("/x", who="ada", why="first", same_model=False)
    (tmp_path / "other" / "poems").rename(old / "poems")
    with pytest.raises(BadInput, match="already has a model poems; choose another name"):
        adopt(old, "poems", source="/poems", who="bob", why="written by release 1.0")
    assert (old / "log").is_dir()


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_log_is_not_adopted(old: Path, damage: str) -> None:
    path = old / "log" / "00000002.json"
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(json.dumps({**json.loads(path.read_bytes()), "why": "forged"}).encode())
    with pytest.raises(Corrupt, match="00000002.json: the log entry is missing or was changed"):
        adopt(old, "poems", source="/poems", who="bob", why="written by release 1.0")
    assert sorted(path.name for path in old.iterdir()) == ["log", "versions"]
