"""The real Alertmanager sends alerts to the real trigger, with the configuration of the documentation."""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.monitoring.retraining.listening import ROOT, alert, facts_of, listening, message, place, starts

PROGRAM, TOOL = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager"), shutil.which("amtool")
PAGE = (ROOT / "docs" / "explanation" / "retraining.md").read_text("utf-8")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.mark.skipif(PROGRAM is None or TOOL is None, reason="Alertmanager is not installed (Debian: prometheus-alertmanager)")
def test_alertmanager_delivers_an_alert_and_its_repetitions_start_one_run(tmp_path: Path) -> None:
    place(tmp_path)
    facts, port = facts_of(tmp_path), free_port()
    [documented] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    with listening(tmp_path, 0.2) as program:
        text = documented.replace("http://127.0.0.1:9465", program.address).replace(
            ".serve/retraining/token", str(tmp_path / "retraining" / "token")
        )
        text = text.replace("route:\n", "route:\n  receiver: people\n  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 1s\n", 1)
        (tmp_path / "alertmanager.yml").write_text(f"{text}  - name: people\n")
        assert TOOL and PROGRAM
        subprocess.run([TOOL, "check-config", str(tmp_path / "alertmanager.yml")], check=True, capture_output=True)
        address = f"http://127.0.0.1:{port}"
        words = [
            PROGRAM, f"--config.file={tmp_path / 'alertmanager.yml'}", f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        ]  # fmt: skip
        with (tmp_path / "log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as manager:
            try:
                labels = json.loads(message([alert(facts)]))["alerts"][0]["labels"]
                send(address, labels)
                wait_for(program.metrics, r'robo_poet_retraining_alerts_total\{action="start",model="poems"\} 1.0')
                wait_for(program.metrics, r'robo_poet_retraining_alerts_total\{action="duplicate",model="poems"\} [1-9]')
                wait_for(program.metrics, r'robo_poet_retraining_total\{action="finished",model="poems"\} 1.0')
            finally:
                manager.kill()
    assert len(starts(tmp_path)) == 1


def send(address: str, labels: dict[str, str]) -> None:
    """Send an alert as Prometheus does, as soon as Alertmanager listens."""
    end = time.monotonic() + 20
    body = json.dumps([{"labels": labels, "annotations": {"summary": "drift"}}]).encode()
    while True:
        try:
            request = urllib.request.Request(f"{address}/api/v2/alerts", body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end
            time.sleep(0.05)


def wait_for(read: Callable[[], str], pattern: str) -> None:
    end = time.monotonic() + 30
    while not re.search(pattern, read()):
        assert time.monotonic() < end
        time.sleep(0.05)
