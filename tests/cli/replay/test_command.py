"""`robo-poet replay` refuses what it cannot do before anything starts. Covers: programs."""

import io
import signal
import time
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from cli.replay.command import _check_own, _clear, _play, replay
from cli.replay.journal import Journal
from cli.replay.monitoring_config import INFRA
from cli.replay.page import replay_page
from cli.replay.programs import Broken, Programs
from cli.replay.story import MODEL, Scene, _service, acts
from cli.replay.texts import Texts
from robo_poet.errors import BadInput
from robo_poet.folder_lock import locked_folder
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import FOLDER, SIGNING_KEY, TRUSTED_KEYS
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
    (tmp_path / "replay.lock").touch()
    (tmp_path / "diary.txt").write_text("dear diary")
    with pytest.raises(BadInput, match=r"diary\.txt"):
        _check_own(tmp_path)
    (tmp_path / "diary.txt").unlink()
    _check_own(tmp_path)
    _clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["replay.lock"]


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


def test_the_end_stops_all_programs_and_what_they_started(tmp_path: Path) -> None:
    """As the trigger of the retraining does, the shell starts a program in a session of its own and ends before it."""
    with Programs(tmp_path) as programs:
        process = programs.start("starter", "sh", "-c", "setsid sleep 600 & echo $!; exec sleep 600")
        while not (started := programs.output("starter").split()):
            time.sleep(0.05)
        programs.check()
    assert process.returncode is not None and not Path(f"/proc/{started[0]}").exists()


def test_what_an_act_did_not_expect_ends_with_the_page_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("cli.replay.story._train", broken)
    monkeypatch.setattr("cli.replay.texts.write_texts", lambda folder: Texts(folder, (), ()))
    record = _play(tmp_path, [], Console(file=io.StringIO()))
    assert record["error"] == "ZeroDivisionError: a bug" and record["acts"][0]["status"] == "failed" and not record["stopped"]
    assert "an act failed" in replay_page(record)


@needs_both
def test_ctrl_c_stops_and_does_not_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cli.replay.story._train", interrupted)
    monkeypatch.setattr("cli.replay.texts.write_texts", lambda folder: Texts(folder, (), ()))
    for name in (FOLDER, SIGNING_KEY, TRUSTED_KEYS):
        monkeypatch.setenv(name, "")  # the command changes them, and the end of the test puts them back
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            replay(tmp_path / "replay", [])
    finally:
        signal.signal(signal.SIGTERM, handler)
    out, err = capsys.readouterr()
    assert ended.value.code == 130 and err == "stopped: somebody stopped the replay (Ctrl-C or SIGTERM)\n"
    for line in ("0:00 Release 1: stopped", "■ Release 1", "· Release 2 is better"):
        assert line in out.splitlines()
    assert ": failed" not in out
    page = (tmp_path / "replay" / "replay.html").read_text()
    assert "■ stopped" in page and "an act failed" not in page


@needs_both
def test_prometheus_reads_the_metrics_of_all_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_training: Path, toy_tokenizer: Path
) -> None:
    """The service and its monitoring with a toy model: each job of infra/prometheus/prometheus.yml is a target that is up."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "trust"))
    registry = Registry(tmp_path / "registry", MODEL)
    files = {"model": toy_training / "model", "tokenizer": toy_tokenizer}
    registry.register(files, metrics={}, lineage={}, decision={}, stage="candidate", who="test", why="test")
    registry.promote(1, who="test", why="test")
    with Programs(tmp_path) as programs:
        scene = Scene(programs, Texts(tmp_path / "texts", ("the night falls",), ()), ["--profile", "replay"])
        journal = Journal(acts(), scene.check, lambda *_: None)
        journal.next_act()
        with _service(journal, scene):
            assert scene.prometheus is not None
            jobs = {job["job_name"] for job in yaml.safe_load((INFRA / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]}
            assert scene.prometheus.up() == jobs
            for series in ("robo_poet_canary_look_timestamp_seconds", "robo_poet_model_sync_ready"):
                assert scene.prometheus.query(series), series
