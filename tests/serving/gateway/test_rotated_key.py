"""The signing key of a registry is rotated, removed and lost while gateway, `model_sync` and canary controller run (REG-1, REG-4).

One story for all three programs, as processes: they read the same registry with the same file of trusted keys (`serve.trusted_keys`).
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from robo_poet.atomic import write_text
from robo_poet.registry.registry import Registry
from robo_poet.registry.trust.keys import PublicKey, create_private_key, read_private_key
from robo_poet.registry.trust.trust import Trust
from serving.access.api_keys import KeyStore
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import ALL, wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer

SAID = {"who": "ada", "why": "test"}
NAMES = ("gateway", "model_sync", "canary")
TROUBLE = {"gateway": "robo_poet_problems", "model_sync": "robo_poet_model_sync_errors_total", "canary": "robo_poet_canary_errors_total"}
REFUSED = {
    "gateway": "robo_poet_registry_refused", "model_sync": "robo_poet_model_sync_registry_refused",
    "canary": "robo_poet_canary_registry_refused",
}  # fmt: skip
STAY = {"gateway": "the loaded versions stay in service", "model_sync": "the loaded versions stay in service", "canary": "the users keep their versions"}  # fmt: skip


@dataclass
class Place:
    """The three programs in front of one registry, and the keys.

    Attributes:
        secret: the signing key that the controller has mounted; the other two programs sign nothing.
        trusted: the file that `serve.trusted_keys` names.
        metrics: program → address of its metrics.
    """

    folder: Path
    registry: Registry
    http: httpx.Client
    metrics: dict[str, str] = field(default_factory=dict)

    @property
    def secret(self) -> Path:
        return self.folder / "controller.key"

    @property
    def trusted(self) -> Path:
        return self.folder / "trusted.txt"

    def trust(self, *keys: PublicKey) -> None:
        write_text(self.trusted, "".join(f"{key.text}\n" for key in keys))

    def lines(self, program: str, *words: str) -> list[str]:
        """Return the lines that a program has printed and that contain all words."""
        return [line for line in (self.folder / f"{program}.log").read_text().splitlines() if all(word in line for word in words)]

    def trouble(self, program: str, names: Mapping[str, str] = TROUBLE) -> float:
        """Return the metric of a program that counts its problems, or another one."""
        name, text = names[program], self.http.get(self.metrics[program]).text
        return float(re.findall(rf"^{name}{{.*}} (\S+)$", text, re.MULTILINE)[0])

    def told(self, *words: str) -> bool:
        """Return True if each program has printed the words, and its metrics say that it has a problem and refuses the registry."""
        return all(self.lines(name, *words) and self.trouble(name) and self.trouble(name, REFUSED) for name in NAMES)

    def accepts(self) -> bool:
        """Return True if each program accepts the registry."""
        return not any(self.trouble(name, REFUSED) for name in NAMES)

    def served(self) -> tuple[int, int]:
        """Return status and version of an answer."""
        answer = self.http.post("/v1/generate", json={"text": "the rose sleeps upon"})
        return answer.status_code, int(answer.json()["metadata"]["model_version"])

    def ready(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.get("/readyz").json()
        return answer


@contextmanager
def program(folder: Path, name: str, words: list[str]) -> Iterator[str]:
    """Run a program whose output goes to a file. Yield its ready line."""
    environment = {**os.environ, "ROBO_POET_TRUST": str(folder / "readers"), "ROBO_POET_SIGNING_KEY": str(folder / "controller.key")}
    path = folder / f"{name}.log"
    with path.open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", f"serving.{name}", *words], stdout=log, stderr=log, env=environment)

    def ready() -> str:
        return next((line for line in path.read_text().splitlines() if line.startswith(f"{name}: ready")), "")

    try:
        assert wait_until(lambda: bool(ready()) or process.poll() is not None, 90) and process.poll() is None, path.read_text()
        yield ready()
        assert process.poll() is None, path.read_text()
    finally:
        process.terminate()
        process.wait(30)
    assert "Traceback" not in path.read_text()


def new_key(path: Path) -> PublicKey:
    create_private_key(path)
    return read_private_key(path).public


@pytest.fixture
def author(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Return a function that makes the test's process sign with a key, and trust what the folder of keys trusts."""
    return lambda path: monkeypatch.setenv("ROBO_POET_SIGNING_KEY", str(path))


@pytest.fixture
def place(
    make_registry: Any, server: StandInModelServer, tmp_path: Path, author: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """The programs, which trust the key of the registry's author and of the controller: the same one."""
    monkeypatch.setenv("ROBO_POET_TRUST", str(tmp_path / "author"))
    new_key(tmp_path / "first.key")
    author(tmp_path / "first.key")
    registry = make_registry(tmp_path / "registry", 3)
    (tmp_path / "controller.key").write_bytes((tmp_path / "first.key").read_bytes())
    (tmp_path / "controller.key").chmod(0o600)
    server.available = {1, 2, 3}
    key = KeyStore(tmp_path / "keys").create(user="ada", scopes=ALL, days=1).text
    place = Place(tmp_path, registry, httpx.Client(headers={"X-API-Key": key}, timeout=20, trust_env=False))
    place.trust(read_private_key(tmp_path / "first.key").public)
    settings = {
        **QUIET, "model_server": server.address, "registry": str(registry.root), "folder": str(tmp_path), "trusted_keys": [str(place.trusted)],
        "content_filter": {"toxicity": {"prompt": "off", "completion": "off"}},
    }  # fmt: skip
    (tmp_path / "gateway.json").write_text(json.dumps(settings))
    (tmp_path / "canary.json").write_text(json.dumps({"look_seconds": 0.1, "steps": [0.1, 0.5]}))
    common = [f"--registry={registry.root}", "--model=shakespeare", f"--trusted-key={place.trusted}"]
    commands = {
        "gateway": [f"--settings={tmp_path}/gateway.json"],
        "model_sync": [
            *common, f"--folder={tmp_path}/models", f"--model-server={server.address}", "--poll-seconds=0.1", "--signature=generate",
            "--metrics-port=0",
        ],
        "canary": [*common, f"--folder={tmp_path}", f"--settings={tmp_path}/canary.json", "--metrics_port=0"],
    }  # fmt: skip
    with ExitStack() as programs:
        programs.enter_context(place.http)
        for name, words in commands.items():
            place.metrics[name] = programs.enter_context(program(tmp_path, name, words)).split()[-1]
        place.http.base_url = httpx.URL(place.metrics["gateway"])
        place.metrics["gateway"] += "/metrics"
        assert wait_until(lambda: place.ready()["status"] == "ready", 20)
        yield place


@pytest.mark.timeout(240)
def test_readers_keep_the_champion_and_go_on_when_the_key_is_trusted(place: Place, author: Callable[[Path], None]) -> None:
    first = read_private_key(place.folder / "first.key").public
    assert place.served() == (200, 1) and place.trouble("gateway") == 0

    # A person signs with a new key, which their own folder trusts, and the programs do not.
    second = new_key(place.folder / "second.key")
    (place.folder / "author" / "trusted_keys").write_text(f"{first.text}\n{second.text}\n")
    author(place.folder / "second.key")
    Registry(place.registry.root, "shakespeare").start_canary(2, **SAID)
    line = f"the log entry is signed by an unknown key {second.id[:12]}; if this key is yours or a colleague's, add its line to {place.trusted} "
    assert wait_until(lambda: place.told(line), 30)
    assert "the registry cannot be read; the loaded versions stay in service" in place.ready()["degraded"]
    assert place.served() == (200, 1) and place.ready()["canary"] is None
    assert [path.name for path in (place.folder / "models" / "shakespeare").iterdir()] == ["1"]
    errors = place.trouble("canary"), place.trouble("model_sync")
    assert wait_until(lambda: place.trouble("canary") > errors[0] + 1 and place.trouble("model_sync") > errors[1] + 1)
    for name in NAMES:  # one line, however many looks fail
        assert len(place.lines(name, line, STAY[name])) == 1, (name, place.lines(name, second.id[:12]))

    # The key becomes trusted: no program starts again.
    place.trust(first, second)
    assert wait_until(lambda: place.registry.state().canary_step == 0, 30), place.lines("canary")
    assert wait_until(lambda: place.ready()["canary"] == 2 and place.trouble("gateway") == 0 and place.accepts(), 30)
    assert wait_until(lambda: (place.folder / "models" / "shakespeare" / "2").is_dir(), 30)
    assert place.registry.signed_log.signers(place.registry.log()) == [first.id, second.id]  # the controller signs with the first one

    # The old key is removed, although it signed the log's first entries.
    place.trust(second)
    line = f"00000001.json: the log entry is signed by an unknown key {first.id[:12]}"
    assert wait_until(lambda: place.told(line), 30)
    assert place.served() in ((200, 1), (200, 2))  # the arms stay as they were
    assert place.ready()["champion"] == 1 and place.ready()["canary"] == 2
    place.trust(first, second)
    assert wait_until(lambda: place.trouble("gateway") == 0, 30) and [len(place.lines(name, line)) for name in NAMES] == [1, 1, 1]


@pytest.mark.timeout(240)
def test_a_controller_without_its_key_moves_nothing_and_takes_a_new_one(place: Place) -> None:
    place.secret.unlink()
    place.registry.start_canary(2, **SAID)
    line = f"no decision: {place.secret}: there is no signing key; mount a secret with a signing key, and set ROBO_POET_SIGNING_KEY"
    assert wait_until(lambda: bool(place.lines("canary", line)) and place.trouble("canary") > 1, 30)
    assert len(place.lines("canary", line, "the users keep their versions")) == 1
    assert place.registry.state().canary_step == -1 and place.served() == (200, 1)
    assert not place.secret.exists()  # a secret is never made

    other = new_key(place.secret)  # not trusted yet: nothing is signed that no reader could take
    line = f"no decision: {place.secret}: the signing key is not one of the trusted keys; add this line to {place.trusted}: {other.text}"
    assert wait_until(lambda: bool(place.lines("canary", line)), 30) and place.registry.state().canary_step == -1
    place.trust(read_private_key(place.folder / "first.key").public, other)
    (place.folder / "author" / "trusted_keys").write_text(f"{other.text}\n")  # of this test, which reads the log below
    assert wait_until(lambda: Registry(place.registry.root, "shakespeare", Trust([str(place.trusted)])).state().canary_step == 0, 30)
    assert wait_until(lambda: place.ready()["canary"] == 2, 30) and place.trouble("gateway") == 0

    # The key is replaced while the controller holds one in memory: the next move has the new signature.
    place.registry.reject(2, **SAID)
    place.secret.unlink()
    third = new_key(place.secret)
    place.trust(read_private_key(place.folder / "first.key").public, other, third)
    (place.folder / "author" / "trusted_keys").write_text(f"{other.text}\n{third.text}\n")
    place.registry.start_canary(3, **SAID)
    assert wait_until(lambda: place.registry.state().canary_step == 0, 30)
    assert place.registry.log()[-1].signatures[0]["keyid"] == third.id
