"""A registry of form 1: one log without model names, as releases before named models wrote it."""

import json
from pathlib import Path

import pytest

from robo_poet.digest import digest_bytes, digest_file
from robo_poet.errors import BadInput
from robo_poet.registry.adoption import KEPT_LOG, adopt
from robo_poet.registry.entry import GENESIS, Corrupt, canonical
from robo_poet.registry.names import model_names
from robo_poet.registry.registry import Registry


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A registry of form 1 with a champion and a rejected version."""
    root, previous = tmp_path / "registry", GENESIS
    statements = []
    for number, stage in ((1, "candidate"), (2, "rejected")):
        weights = tmp_path / f"weights{number}"
        weights.write_text(str(number))
        manifest = canonical({"files": {"model/weights": digest_file(weights)}, "metrics": {}, "lineage": {}, "decision": {}})
        folder = root / "versions" / digest_bytes(manifest)[:16]
        (folder / "model").mkdir(parents=True)
        (folder / "manifest.json").write_bytes(manifest)
        (folder / "model" / "weights").write_text(str(number))
        statements.append(("register", number, {"digest": digest_bytes(manifest), "identity": f"i{number}", "stage": stage}))
    statements.append(("promote", 1, {}))
    (root / "log").mkdir()
    for index, (action, version, details) in enumerate(statements, 1):
        body = {
            "index": index, "previous": previous, "action": action, "version": version, "who": "ada", "why": "test",
            "details": details, "nonce": f"n{index}", "time": "2026-01-01T00:00:00+00:00",
        }  # fmt: skip
        data = canonical({**body, "sha256": digest_bytes(canonical(body))})
        (root / "log" / f"{index:08d}.json").write_bytes(data)
        previous = digest_bytes(data)
    return root


def test_an_old_registry_is_refused_with_the_command_that_takes_it_over(old: Path) -> None:
    for use in (lambda: Registry(old, "poems"), lambda: model_names(old)):
        with pytest.raises(BadInput, match="has the old form, without names of models; take it over: .*robo-poet registry adopt"):
            use()


def test_adoption_keeps_numbers_stages_history_and_files(old: Path) -> None:
    last = (old / "log" / "00000003.json").read_bytes()
    assert adopt(old, "poems", source="/poems", who="bob") == 2
    registry = Registry(old, "poems")
    assert [(version.number, str(version.stage)) for version in registry.verify()] == [(1, "champion"), (2, "rejected")]
    assert registry.sources() == ("/poems",)
    entries = registry.log()
    assert [entry.statement.who for entry in entries] == ["bob", "ada", "ada", "ada"]
    assert entries[0].statement.details["form_1_head"] == digest_bytes(last)
    assert (registry.folder / KEPT_LOG / "00000003.json").read_bytes() == last
    assert sorted(path.name for path in old.iterdir()) == ["poems"]
    with pytest.raises(BadInput, match="nothing needs to be taken over"):
        adopt(old, "letters", source="/poems", who="bob")


def test_an_adoption_killed_before_it_removed_the_old_log_is_finished_by_the_next(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("robo_poet.registry.adoption.shutil.rmtree", lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            adopt(old, "poems", source="/poems", who="bob")
    assert (old / "log").is_dir()
    assert adopt(old, "poems", source="/poems", who="bob") == 2
    assert Registry(old, "poems").champion() is not None


def test_a_model_of_the_same_name_is_not_replaced(old: Path, tmp_path: Path) -> None:
    Registry(tmp_path / "other", "poems").add_source("/x", who="ada", why="first", same_model=False)
    (tmp_path / "other" / "poems").rename(old / "poems")
    with pytest.raises(BadInput, match="already has a model poems; choose another name"):
        adopt(old, "poems", source="/poems", who="bob")
    assert (old / "log").is_dir()


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_log_is_not_adopted(old: Path, damage: str) -> None:
    path = old / "log" / "00000002.json"
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(json.dumps({**json.loads(path.read_bytes()), "why": "forged"}).encode())
    with pytest.raises(Corrupt, match="00000002.json: the log entry is missing or was changed"):
        adopt(old, "poems", source="/poems", who="bob")
    assert sorted(path.name for path in old.iterdir()) == ["log", "versions"]
