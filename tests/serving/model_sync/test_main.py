"""The program: its command line, its end, kills at random moments, and a promotion on the embedded model server."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from robo_poet.registry.copying import copy, open_files
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.trust import Trust
from serving.model_server.config import read_config
from serving.model_sync import config_file
from serving.model_sync.__main__ import LOCK_FILE, main
from serving.model_sync.plan import AVAILABLE, Config, Loaded
from serving.model_sync.server_status import ServerStatus
from serving.model_sync.sync import lay_out
from tests.serving.model_server.conftest import Server, completion, eventually, make_registry
from tests.serving.model_server.conftest import arguments as server_arguments
from tests.serving.model_sync.released import SAID, is_whole, release, small_registry, tamper
from tests.serving.model_sync.simulated_server import SimulatedServer, over_http

NOBODY = "http://127.0.0.1:1"  # nothing listens there


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return small_registry(tmp_path, 3)


@pytest.fixture(autouse=True)
def _signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the signal handlers of the tests' own process."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)


def arguments(registry: Registry, folder: Path, *more: str, server: str = NOBODY) -> list[str]:
    return [f"--registry={registry.root}", f"--model={registry.model}", f"--folder={folder}", f"--model-server={server}", *more]


class Running:
    """The program as a process, ready.

    Attributes:
        before, ready, lines: standard output before the ready line, this line, and standard output after it.
    """

    def __init__(self, *words: str) -> None:
        command = [sys.executable, "-m", "serving.model_sync", *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        assert self.process.stdout is not None
        self.before, self.ready = list[str](), ""
        while not self.ready and (line := self.process.stdout.readline().strip()):
            if line.startswith("model_sync: ready"):
                self.ready = line
            else:
                self.before.append(line)
        self._reader = threading.Thread(target=lambda: self.lines.extend(map(str.strip, self.process.stdout or ())))
        self._reader.start()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the process during a block, so that it sees all changes of the block together."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
        yield
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> tuple[int, str]:
        """Send SIGTERM. Return exit status and log."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(10)
        self._reader.join()
        assert self.process.stdout and self.process.stderr
        with self.process.stdout, self.process.stderr as log:
            return status, log.read()


def test_one_look_prepares_the_folder(registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry.start_canary(2, **SAID)
    tamper(registry, 2)
    assert main([*arguments(registry, tmp_path / "models"), "--once"]) == 0
    assert set(read_config(tmp_path / "models" / "models.config")["poems"].version_folders()) == {1}
    assert capsys.readouterr().err.startswith("warning: the canary is left out: ")


def test_one_look_without_a_good_champion_fails(registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(registry, 1)
    words = [*arguments(registry, tmp_path / "models"), "--once"]
    assert main(words) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: the champion is left out, and ") and "saved_model.pb was changed" in line and line.count("\n") == 1
    assert main([*words, "--model=others"]) == 2 and "no champion yet" in capsys.readouterr().err


def test_a_version_of_another_user_is_served_only_if_their_key_is_named(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = Trust().signer().public.text
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "another user"))
    words = [*arguments(registry, tmp_path / "models"), "--once"]
    assert main(words) == 2 and "is signed by an unknown key" in capsys.readouterr().err
    assert main([*words, f"--trusted-key={key} of ada"]) == 0
    assert is_whole(registry, tmp_path / "models" / "poems" / "1")


def test_a_registry_in_a_bucket_is_read(
    registry: Registry, gcs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROBO_POET_CACHE", str(tmp_path / "cache"))
    registry.start_canary(2, **SAID)
    gcs.create_bucket("sync")
    copy(open_files(str(registry.root)), open_files("gs://sync/registry"), registry.model, Trust())
    [blob] = [
        blob for blob in gcs.list_blobs("sync") if blob.name.endswith("saved_model.pb") and registry.version(2).digest[:16] in blob.name
    ]
    blob.upload_from_string(b"another model")
    assert main([*arguments(registry, tmp_path / "models"), "--registry=gs://sync/registry", "--once"]) == 0
    assert capsys.readouterr().err.startswith("warning: the canary is left out: gs://sync/registry/poems/versions/")
    assert [path.name for path in (tmp_path / "models" / "poems").iterdir()] == ["1"] and is_whole(
        registry, tmp_path / "models" / "poems" / "1"
    )


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--poll-seconds=-1"], "error: command line: argument --poll-seconds: must be 0 to 86400 seconds; see --help"),
        (["--model=No Name"], "error: "),
        (["--model-server=127.0.0.1:8501"], "error: 127.0.0.1:8501: not an address of a model server; write http://127.0.0.1:8501"),
        (["--model-server-key=key.pem"], "error: command line: give --model-server-certificate and --model-server-key together"),
        (["--speed"], "error: command line: unrecognized arguments: --speed; see --help"),
        (["--folder=/proc/models"], "error: /proc/models: the folder cannot be used"),
    ],
)
def test_bad_arguments_are_one_line(
    registry: Registry, tmp_path: Path, more: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments(registry, tmp_path / "models"), "--once", *more]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(line) and printed.count("\n") == 1


def test_the_program_tells_new_troubles_once_and_ends_at_once(registry: Registry, tmp_path: Path) -> None:
    folder, ready = tmp_path / "models", tmp_path / "ready"
    ready.write_text("of an earlier run")
    words = arguments(registry, folder, "--poll-seconds=0.05", f"--ready-file={ready}")
    running = Running(*words)
    try:
        assert running.before == [] and ready.read_text() == f"process {running.process.pid}\n"
        assert main([*words, "--once"]) == 2  # a second one in the folder
        with running.stopped():
            registry.start_canary(2, **SAID)
            tamper(registry, 2)
        eventually(lambda: running.lines)
        with running.stopped():
            registry.archive(2, **SAID)
            registry.root.rename(tmp_path / "away")
        eventually(lambda: "the loaded versions stay in service: " in running.lines[-1])
        (tmp_path / "away").rename(registry.root)
        time.sleep(0.3)  # some looks
        began = time.monotonic()
    finally:
        status, log = running.stop()
    assert status == 0 and time.monotonic() - began < 5
    assert running.lines[0].startswith("model_sync: the canary is left out: ")
    assert len(set(running.lines)) == len(running.lines) <= 4  # a look in whose middle the folder disappears has messages of its own
    assert [line.split(" ", 3)[3] for line in log.splitlines()] == [
        "version 1 was verified and copied to the folder",
        "models.config: versions 1; labels none yet",
    ]


def test_without_a_champion_the_program_waits_and_is_not_ready(registry: Registry, tmp_path: Path) -> None:
    registry.archive(1, **SAID)
    folder, ready = tmp_path / "models", tmp_path / "ready"
    running = Running(*arguments(registry, folder, "--poll-seconds=0.05", f"--ready-file={ready}"))
    try:
        assert len(running.before) == 1 and "no version is the champion" in running.before[0] and not ready.exists()
        registry.promote(1, **SAID)
        eventually(ready.exists)
        assert read_config(folder / "models.config")["poems"].version_folders().keys() == {1}
    finally:
        assert running.stop()[0] == 0


FORK = """
import os, sys
from serving.model_sync.__main__ import main
print("up", flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os._exit(main(line.split()))
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[list[str]], tuple[int, Callable[[], object]]]]:
    """Start the program in a process that has its modules already: a start takes 0.6 s otherwise. Return its id and a wait for its end."""
    with (tmp_path / "log").open("w") as log:
        forker = subprocess.Popen([sys.executable, "-c", FORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        assert forker.stdin and forker.stdout and forker.stdout.readline() == "up\n"
        given, read = forker.stdin, forker.stdout

        def start(words: list[str]) -> tuple[int, Callable[[], object]]:
            given.write(" ".join(words) + "\n")
            given.flush()
            pid = next(int(line) for line in iter(read.readline, "") if line.strip().isdigit())
            return pid, lambda: next(line for line in iter(read.readline, "") if line == "ended\n")

        yield start
        given.close()
        forker.wait(10)
        read.close()
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_kills_at_random_moments_leave_no_half_state(
    count: int, tmp_path: Path, begin: Callable[[list[str]], tuple[int, Callable[[], object]]]
) -> None:
    registry, folder, server, chance = (
        small_registry(tmp_path, 5, size=300_000),
        tmp_path / "models",
        SimulatedServer(),
        random.Random(count),
    )
    base = folder / "poems"
    for number in range(2, 6):
        release(registry, number)
    lay_out(registry, folder)
    server.start(config_file.read(base))
    server.work()

    def is_whole_or_gone(copy: Path) -> bool:
        """The program runs meanwhile, so it may remove a copy between the listing and the check."""
        try:
            return is_whole(registry, copy) or not copy.exists()
        except FileNotFoundError:
            return not copy.exists()

    def turn() -> None:
        """Check what a model server could see now, and let it read the file."""
        config = config_file.read(base)
        assert config.versions and read_config(folder / "models.config")["poems"].labels == config.labels
        copies = {int(path.name) for path in base.iterdir() if not path.name.startswith(".")}
        assert all(is_whole_or_gone(base / str(number)) for number in copies)
        needed = config.versions | {number for number, state in server.states.items() if state != "END"}
        assert needed <= copies, (config, server.states, copies)
        server.read(config)
        server.work()
        assert server.refused == [] and server.cut_off == []

    with over_http(server, "poems") as address:
        words = arguments(registry, folder, "--poll-seconds=0.002", "--grace-seconds=0.01", server=address)
        for _ in range(count):
            champion = registry.state().champion
            registry.promote(
                chance.choice([number for number in range(1, 6) if number != champion]), watch_share=chance.choice([0, 0.05]), **SAID
            )
            pid, wait = begin(words)
            for _ in range(chance.randrange(3)):
                time.sleep(chance.uniform(0, 0.05))
                turn()
            time.sleep(chance.uniform(0, 0.03))
            os.kill(pid, signal.SIGKILL)
            wait()
            turn()
        if registry.state().watch:
            registry.end_watch(registry.state().champion or 0, **SAID)
        champion = registry.state().champion or 0
        pid, wait = begin(words)

        def settled() -> bool:
            turn()
            names = {path.name for path in (*base.iterdir(), *folder.iterdir())}
            done = names == {str(champion), "poems", "models.config", LOCK_FILE}
            return done and config_file.read(base) == Config(frozenset({champion}), {"stable": champion})

        eventually(settled, 20)
        os.kill(pid, signal.SIGKILL)
        wait()


@pytest.mark.soak  # 34 s; tests/e2e/test_serve.py promotes under requests too
@pytest.mark.timeout(600)
def test_a_promotion_on_the_model_server_fails_no_call_and_removes_the_old_copy(
    toy_training: Path, toy_tokenizer: Path, tmp_path: Path
) -> None:
    registry, folder = make_registry(tmp_path / "registry", toy_training, toy_tokenizer), tmp_path / "models"
    server = Server(tmp_path, *server_arguments(lay_out(registry, folder)))
    status, path = ServerStatus(server.http, "shakespeare"), "/v1/models/shakespeare"
    running = Running(*arguments(registry, folder, "--poll-seconds=0.1", "--grace-seconds=1", server=server.http))
    done = threading.Event()

    def traffic(where: str, new: int) -> list[int]:
        """Call until the version or label is gone, or the promotion is done. Return the statuses."""
        statuses = []
        while not done.is_set() and (not statuses or statuses[-1] == 200):
            answer = server.call(f"{path}/{where}:predict", signature_name="generate_xla", instances=[completion(len(statuses), new)])
            statuses.append(answer.status_code)
            done.wait(0.05)  # leave some of the processor for loading
        return statuses

    try:
        eventually(lambda: status.ask(stable=True) == Loaded({1: AVAILABLE}, stable=1))
        with ThreadPoolExecutor(2) as pool:
            stable, former = pool.submit(traffic, "labels/stable", 8), pool.submit(traffic, "versions/1", 400)
            try:
                registry.start_canary(2, **SAID)
                registry.promote(2, **SAID)
                eventually(lambda: {path.name for path in (folder / "shakespeare").iterdir()} == {"2"}, 150)
            finally:
                done.set()
            by_label, by_number = stable.result(60), former.result(60)
        assert status.ask(stable=True) == Loaded({1: "END", 2: AVAILABLE}, stable=2)
    finally:
        ended = running.stop()
        server.end()
    assert ended[0] == 0 and running.lines == []
    assert len(by_label) > 10 and set(by_label) == {200}
    assert set(by_number[:-1]) == {200} and by_number[-1] in (200, 404)  # calls that began before the unloading were answered
    assert "models.config: versions 2; labels stable → 2" in ended[1] and "version 1 was removed from the folder" in ended[1]
