"""`robo-poet replay` refuses what it cannot do before anything starts. Covers: programs."""

import signal
from pathlib import Path

import pytest

from cli.replay.command import _check_own, _clear, replay
from cli.replay.programs import Broken, Programs
from robo_poet.errors import BadInput
from robo_poet.folder_lock import locked_folder
from tests.infra.monitored import needs_both


def test_a_missing_program_is_one_line_with_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="real prometheus and prometheus-alertmanager.*apt-get install prometheus prometheus-alertmanager"):
        replay(tmp_path / "replay", [])
    assert not (tmp_path / "replay").exists()


def test_a_folder_with_something_else_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "log").write_text("a real registry")
    with pytest.raises(BadInput, match="not the folder of a replay: it has 'registry'"):
        _check_own(tmp_path)
    (tmp_path / "texts").mkdir()
    (tmp_path / "diary.txt").write_text("dear diary")
    with pytest.raises(BadInput, match=r"diary\.txt"):
        _check_own(tmp_path)
    (tmp_path / "diary.txt").unlink()
    (tmp_path / "replay.lock").touch()
    _check_own(tmp_path)
    _clear(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["replay.lock", "texts"]


def test_a_new_folder_and_one_whose_replay_was_killed_at_its_start_are_taken(tmp_path: Path) -> None:
    _check_own(tmp_path / "new")
    (tmp_path / "replay.lock").touch()
    _check_own(tmp_path)


@needs_both
def test_a_second_replay_in_the_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with locked_folder(tmp_path / "replay", "", name="replay.lock"), pytest.raises(BadInput, match="another replay uses this folder"):
            replay(tmp_path / "replay", [])
    finally:
        signal.signal(signal.SIGTERM, handler)


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
