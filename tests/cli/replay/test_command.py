"""`robo-poet replay` refuses what it cannot do before anything starts. Covers: programs."""

from pathlib import Path

import pytest

from cli.replay.command import _clear, replay
from cli.replay.programs import Broken, Programs
from robo_poet.errors import BadInput


def test_a_missing_program_is_one_line_with_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="real prometheus and prometheus-alertmanager.*apt-get install prometheus prometheus-alertmanager"):
        replay(tmp_path / "replay", [])
    assert not (tmp_path / "replay").exists()


def test_a_folder_with_something_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "log").write_text("a real registry")
    with pytest.raises(BadInput, match="not the folder of a replay"):
        _clear(tmp_path)
    (tmp_path / "texts").mkdir()
    (tmp_path / "diary.txt").write_text("dear diary")
    with pytest.raises(BadInput, match=r"diary\.txt"):
        _clear(tmp_path)
    (tmp_path / "diary.txt").unlink()
    _clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["texts"]


def test_a_program_that_ends_is_an_error_with_its_last_line(tmp_path: Path) -> None:
    with Programs(tmp_path) as programs:
        programs.start("speaker", "sh", "-c", "echo first; echo it is broken; exit 3")
        with pytest.raises(Broken, match="speaker did not start: it is broken"):
            programs.wait_ready("speaker", lambda: None)
        with pytest.raises(Broken, match="speaker ended with status 3: it is broken"):
            programs.check()


def test_the_end_stops_all_programs(tmp_path: Path) -> None:
    with Programs(tmp_path) as programs:
        process = programs.start("sleeper", "sleep", "600")
        programs.check()
    assert process.returncode is not None
