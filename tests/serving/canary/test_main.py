"""The controller as a program."""

import json
import logging
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from robo_poet.judges.canary.judge import Verdict
from robo_poet.registry.registry import Registry
from robo_poet.settings.canary import CanarySettings, NotifySettings
from serving.canary.__main__ import main, run
from serving.canary.controller import Controller
from tests.robo_poet.registry.released import released

SAID = {"who": "ada", "why": "test"}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry with a champion and a canary."""
    return released(tmp_path, canary=True)


def arguments(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "canary.json").write_text(text)
    words = ["--settings", tmp_path / "canary.json", "--registry", tmp_path / "registry", "--model", "poems", "--folder", tmp_path / "logs"]
    return [str(word) for word in words]


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_program_starts_moves_and_ends_by_sigterm(tmp_path: Path, registry: Registry) -> None:
    settings = json.dumps({"steps": [0.1, 0.5], "look_seconds": 0.05, "notify": {"command": ["tee", "-a", str(tmp_path / "told")]}})
    words = [sys.executable, "-m", "serving.canary", *arguments(tmp_path, settings), "--metrics_port=0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and process.stderr
            ready = process.stdout.readline()
            assert ready.startswith("canary: ready, metrics at http://127.0.0.1:")
            metrics = urllib.request.urlopen(ready.split()[-1], timeout=5).read().decode()
            assert 'robo_poet_canary_errors_total{model="poems"} 0.0' in metrics
            eventually(lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text().endswith("\n"))
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            printed = process.stderr.read()
        finally:
            process.kill()
    assert "poems/2 serves 10% of the users" in printed and "Traceback" not in printed
    assert [json.loads(line)["action"] for line in (tmp_path / "told").read_text().splitlines()] == ["set_share"]
    state = registry.state()
    assert (state.canary_step, state.canary_share) == (0, 0.1)
    evidence = registry.log()[-1].statement.details["evidence"]
    assert (tmp_path / "logs" / "canary" / "poems" / "evidence" / f"{evidence}.json").is_file()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"steps": [0.5, 0.1]}', "error: canary: steps: [0.5, 0.1]: each share must be larger than the one before"),
        ('{"margins": {"errors": 2}}', "error: canary.margins.errors: input should be less than 1"),
        ('{"speed": 1}', "error: canary.speed: "),
        ("{", "error: "),
        ("[]", "error: "),
    ],
)
def test_bad_settings_are_one_line(
    tmp_path: Path, registry: Registry, text: str, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main(arguments(tmp_path, text)) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(line) and printed.count("\n") == 1


def test_missing_settings_are_one_line(
    tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    words = arguments(tmp_path, "{}")
    (tmp_path / "canary.json").unlink()
    assert main(words) == 2 and capsys.readouterr().err.count("\n") == 1


def test_only_the_named_keys_are_trusted(
    tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main([*arguments(tmp_path, "{}"), "--trusted-key=keys.txt"]) == 2
    assert "'keys.txt' is neither a public key nor a readable file of keys" in capsys.readouterr().err


def test_a_damaged_log_moves_nothing_and_is_reported_once(tmp_path: Path, registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "registry"
    newest = max((path for path in folder.rglob("*") if path.is_file() and b"start_canary" in path.read_bytes()), key=str)
    before = newest.read_bytes()
    newest.chmod(0o600)
    newest.write_bytes(before.replace(b'"test"', b'"tess"'))
    files = sorted(path for path in folder.rglob("*"))
    stopped = threading.Event()
    settings = CanarySettings(look_seconds=0.01, notify=NotifySettings(command=("false",)))
    read = Registry(folder, "poems")
    controller = Controller.of(read, settings, tmp_path / "logs", 30)
    thread = threading.Thread(target=run, args=(controller, settings, read, tmp_path / "logs", stopped))
    with caplog.at_level(logging.ERROR):
        thread.start()
        eventually(lambda: "no decision: " in caplog.text)
        time.sleep(0.2)
        assert thread.is_alive() and caplog.text.count("no decision") == 1
        assert sorted(path for path in folder.rglob("*")) == files
        newest.write_bytes(before)
        eventually(lambda: registry.state().canary_share > 0)  # it goes on after the repair
    stopped.set()
    thread.join()


def test_a_release_that_waits_is_told_and_a_long_look_is_followed_by_a_long_rest(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    told: list[str] = []

    class Stopped(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            rests.append(timeout or 0.0)
            if len(rests) == 3:
                self.set()
            return True

    times = iter([0.0, 1.5, 2.0, 2.001, 3.0, 3.001])
    reasons = iter(["ratings are worse by 0.31", "ratings are worse by 0.3", "the canary cannot be called"])
    monkeypatch.setattr("serving.canary.__main__.time.process_time", lambda: next(times))
    monkeypatch.setattr("serving.canary.notification.Notifier.wait_for_person", lambda _, model, version, why: told.append(why))
    monkeypatch.setattr("serving.canary.controller.judge", lambda *_, **__: Verdict("hold", (next(reasons),), {"users": {}}))
    registry.set_share(2, 0, 0.5, **SAID)
    settings = CanarySettings(look_seconds=5)
    run(Controller.of(registry, settings, tmp_path / "serve", 30), settings, registry, tmp_path / "serve", Stopped())
    assert rests == [75.0, 5, 5] and told == ["ratings are worse by 0.31", "the canary cannot be called"]  # not again for another number
