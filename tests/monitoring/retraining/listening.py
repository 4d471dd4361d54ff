"""A trigger on a real registry, log and receiver. Only the command of the run is made: a script that trains for some seconds.

`python -m tests.monitoring.retraining.listening FOLDER SECONDS [refused]` runs it as a process. A refused run makes no folder.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from monitoring.retraining.facts import read_facts
from monitoring.retraining.launch import Launcher
from monitoring.retraining.log import RetrainingLog
from monitoring.retraining.program import listen, read_token
from monitoring.retraining.trigger import Trigger
from robo_poet.judges.drift.observations import DIMENSIONS
from robo_poet.judges.retraining.decision import Alert, Facts
from robo_poet.judges.retraining.policy import RetrainingPolicy
from robo_poet.judges.retraining.state import Key, Request
from robo_poet.registry.registry import Registry
from tests.robo_poet.registry.released import SAID, released

ROOT = Path(__file__).resolve().parents[3]
AUTOMATIC = RetrainingPolicy(enabled="automatic", retry_minutes=0)
SINCE = "2026-03-10T12:00:00.123456789Z"
BASELINE = {
    "everyone": {"users": 100, "mean": 4.0, "deviation": 0.5},
    "groups": {name: {} for name in DIMENSIONS},
    "broken": 0.0,
    "heldout_nats": None,
}
TRAIN = """
echo "$2" >> "$1/starts"
test "$4" = refused && { sleep "$3"; echo "error: corpus: it is gone; give another" >&2; exit 2; }
mkdir -p "$1/runs" && mkdir "$1/runs/$2" || exit 2
sleep "$3"
test "$4" = succeeded || { echo "error: corpus: it is gone; give another" >&2; exit 2; }
printf '{"status": "succeeded", "seconds": 1.5, "version": 3, "stage": "canary"}' > "$1/summary.$2"
mv "$1/summary.$2" "$1/runs/$2/summary.json"
"""


def place(folder: Path) -> Registry:
    """Make a registry `poems` whose version 1 is champion and has a baseline."""
    registry = released(folder)
    registry.set_baseline(1, BASELINE, **SAID)
    return registry


def facts_of(folder: Path) -> Facts:
    return read_facts(Registry(folder / "registry", "poems"))


def words(folder: Path, seconds: float, status: str, request: Request, run: str) -> list[str]:
    return ["sh", "-c", TRAIN, "train", str(folder), run, str(seconds), status]


def trigger(
    folder: Path, facts: Facts, seconds: float = 0.0, *, policy: RetrainingPolicy = AUTOMATIC, status: str = "succeeded", **more: Any
) -> Trigger:
    """Return a new trigger in this folder, as a restarted program makes it."""
    log = RetrainingLog(folder / "retraining" / "log", "poems")
    launcher = Launcher(folder / "retraining" / "runs", folder / "runs")
    return Trigger(log, launcher, lambda: facts, partial(words, folder, seconds, status), policy, **more)


def starts(folder: Path) -> list[str]:
    """Return the ids of the runs that were really started."""
    return (folder / "starts").read_text().split() if (folder / "starts").exists() else []


def alert(facts: Facts, cause: str = "the world changed", *, firing: bool = True, version: int = 1, baseline: str = "") -> Alert:
    return Alert(Key("poems", version, baseline or facts.baseline, cause), firing, SINCE)


def message(alerts: Iterable[Alert]) -> bytes:
    """Return the message of Alertmanager's webhook, version 4, as version 0.28 of Alertmanager sends it."""
    rows = [
        {
            "status": "firing" if one.firing else "resolved", "annotations": {"summary": "drift"}, "startsAt": one.starts_at,
            "labels": {"alertname": "Drift", "model": one.key.model, "version": str(one.key.version), "baseline": one.key.baseline, "cause": one.key.cause},
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus/graph", "fingerprint": "0123456789abcdef",
        }
        for one in alerts
    ]  # fmt: skip
    outer = {
        "receiver": "retrain",
        "status": "firing",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://am",
    }
    return json.dumps({**outer, "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "alerts": rows}).encode()


class Answer(NamedTuple):
    status: int
    text: str


class Listening(NamedTuple):
    """The program in a process."""

    process: "subprocess.Popen[str]"
    address: str
    token: str

    def post(self, body: bytes, token: str | None = None) -> Answer:
        """Send a message as Alertmanager does. Raises OSError if the program does not answer."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}", "Content-Type": "application/json"}
        return _answer(urllib.request.Request(f"{self.address}/alerts", body, headers))

    def metrics(self) -> str:
        return _answer(urllib.request.Request(f"{self.address}/metrics")).text


def _answer(request: urllib.request.Request) -> Answer:
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return Answer(response.status, response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode())


def address_of(process: "subprocess.Popen[str]") -> str:
    """Return the address in the line that the program prints when it is ready. A run that ended before has a line too."""
    assert process.stdout is not None
    ready = next(line for line in process.stdout if line.startswith("retrain: ready, alerts at "))
    return ready.split()[-1].removesuffix("/alerts")


@contextmanager
def listening(folder: Path, seconds: float, *status: str) -> Iterator[Listening]:
    """Run the program in a process until the end of the block."""
    arguments = [sys.executable, "-m", "tests.monitoring.retraining.listening", str(folder), str(seconds), *status]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Listening(process, address_of(process), (folder / "retraining" / "token").read_text())
        finally:
            process.kill()


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0])
    token = read_token(folder / "retraining" / "token")
    made = trigger(folder, facts_of(folder), float(arguments[1]), status=arguments[2] if arguments[2:] else "succeeded")
    listen(made, folder / "retraining", token, "127.0.0.1", 0, partial(print, flush=True), look_seconds=0.05)


if __name__ == "__main__":
    main(sys.argv[1:])
