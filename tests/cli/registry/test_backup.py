import json
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from tests.cli.registry.conftest import Call


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    path = tmp_path / "words"
    path.write_text("correct horse battery staple\n")
    path.chmod(0o600)
    return ["--passphrase-file", str(path)]


def test_a_registry_is_written_and_restored(two_models: Path, tmp_path: Path, words: list[str], call: Call) -> None:
    archive = str(tmp_path / "a.backup")
    saved = call(two_models, "backup", archive, *words)
    assert saved.exit_code == 0 and f"{archive}: 2 models, 3 versions, 4 log entries, 0.0 MB, signed by the key" in saved.stdout
    restored = call(tmp_path / "restored", "restore", archive, *words)
    assert restored.exit_code == 0 and "2 models, 3 versions; the state of 20" in restored.stdout
    assert call(tmp_path / "restored", "verify").exit_code == 0
    exact = json.loads(call(tmp_path / "other", "restore", archive, *words, "--json").stdout)
    assert exact["entries"] == {"odes": 1, "poems": 3}


def test_an_older_backup_names_the_command_that_accepts_it(folder: Path, tmp_path: Path, words: list[str], call: Call) -> None:
    call(folder, "backup", str(tmp_path / "a.backup"), *words)
    registry = Registry(folder, "poems")
    registry.archive(1, who="ada", why="test")
    count = len(registry.log())
    folder.rename(tmp_path / "lost")
    printed = call(folder, "restore", str(tmp_path / "a.backup"), *words).stdout
    assert f"warning: you have read {count} entries of the log of poems, and the backup has {count - 1}; to accept it: " in printed
    assert f"registry accept-head --registry {folder} --model poems" in printed.replace("\n", "")


def test_without_a_secret_nothing_is_written(folder: Path, tmp_path: Path, call: Call) -> None:
    result = call(folder, "backup", str(tmp_path / "a.backup"))
    assert isinstance(result.exception, BadInput) and "no secret is given" in str(result.exception)
    assert not (tmp_path / "a.backup").exists()
