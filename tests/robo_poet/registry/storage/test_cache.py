from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.storage.cache import cache_folder


def test_a_cache_that_others_can_change_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setenv("ROBO_POET_CACHE", str(folder))
    with pytest.raises(BadInput, match=f"{folder}: other users can write to the cache of registries; run chmod 755"):
        cache_folder()


def test_without_a_place_for_the_cache_a_temporary_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ROBO_POET_CACHE", str(tmp_path / "file" / "cache"))
    assert cache_folder().name.startswith("robo-poet-cache-") and cache_folder() == cache_folder()
    monkeypatch.delenv("ROBO_POET_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "robo-poet" and cache_folder().stat().st_mode & 0o777 == 0o700
