"""The alert of a drift, and the real Alertmanager."""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.send_alert.__main__ import alert, main, send
from pipelines.images.programs import ROOT
from robo_poet.errors import BadInput

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
DAY = 86_400.0


def verdict(end: float, action: str = "drift") -> dict[str, Any]:
    return {
        "model": "poems", "version": 3, "baseline": "ab" * 32, "cause": "the world changed", "action": action, "start": end - DAY, "end": end,
        "reasons": ["perplexity 90", "why"], "row": {"window": "2026-03-09"},
    }  # fmt: skip


def call(folder: Path, judged: dict[str, Any], address: str) -> tuple[int, int]:
    """Return exit status and result of the step."""
    (folder / "verdict").write_text(json.dumps(judged))
    output = folder / "output.json"
    output.unlink(missing_ok=True)
    status = main(["--verdict", str(folder / "verdict"), "--alertmanager", address, "--executor-output", str(output)])
    return status, json.loads(output.read_text())["parameterValues"]["sent"] if output.exists() else -1


def test_labels_are_those_of_the_rule_of_prometheus() -> None:
    """Otherwise Alertmanager would see two alerts about one drift."""
    groups = yaml.safe_load((ROOT / "infra" / "prometheus" / "alerts.yml").read_text())["groups"]
    [rule] = [rule for group in groups for rule in group["rules"] if rule.get("alert") == "RoboPoetPerplexityDrift"]
    made, [by] = alert(verdict(DAY)), re.findall(r"max by \((.*?)\)", rule["expr"])
    assert made["labels"].keys() == {"alertname", *rule["labels"], *by.split(", ")}
    assert made["labels"]["alertname"] == rule["alert"] and rule["labels"].items() <= made["labels"].items()
    summary = rule["annotations"]["summary"].replace("{{ $labels.model }}/{{ $labels.version }}", "poems/3")
    assert made["annotations"]["summary"] == summary and made["annotations"]["runbook_url"] == rule["annotations"]["runbook_url"]
    assert (made["startsAt"], made["endsAt"]) == ("1970-01-02T00:00:00+00:00", "1970-01-04T12:00:00+00:00")


def test_nothing_is_sent_without_an_address_or_about_the_past(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC).timestamp()
    assert call(tmp_path, verdict(now), "") == (0, 0) and "warning: a drift, but no alert is sent" in capsys.readouterr().err
    assert call(tmp_path, verdict(now - 3 * DAY), "http://127.0.0.1:1") == (0, 0)
    assert "note: no alert is sent: window 2026-03-09 is older than 2.5 windows" in capsys.readouterr().err


def test_what_cannot_be_sent_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC).timestamp()
    assert call(tmp_path, verdict(now, "no_drift"), "http://127.0.0.1:1") == (2, -1)
    assert "the verdict is not a drift" in capsys.readouterr().err
    assert call(tmp_path, verdict(now), f"http://127.0.0.1:{free_port()}") == (2, -1)
    assert capsys.readouterr().err.count("\n") == 1


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.mark.skipif(PROGRAM is None, reason="Alertmanager is not installed (Debian: prometheus-alertmanager)")
def test_alertmanager_has_one_alert_of_the_pipeline_and_the_watcher(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    address = f"http://127.0.0.1:{free_port()}"
    words = [
        str(PROGRAM), f"--config.file={tmp_path / 'config.yml'}", f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address={address.removeprefix('http://')}", "--cluster.listen-address=",
    ]  # fmt: skip
    now = datetime.now(UTC)
    judged = verdict((now - timedelta(hours=1)).timestamp())
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as manager:
        try:
            deadline = time.monotonic() + 20
            while call(tmp_path, judged, address) != (0, 1):
                assert time.monotonic() < deadline, capsys.readouterr().err
                time.sleep(0.05)
            prometheus = {"labels": alert(judged)["labels"], "annotations": {"summary": "of the rule"}, "startsAt": now.isoformat()}
            headers = {"Content-Type": "application/json"}
            post = urllib.request.Request(f"{address}/api/v2/alerts", json.dumps([prometheus]).encode(), headers)
            urllib.request.urlopen(post, timeout=5).close()
            assert call(tmp_path, judged, address) == (0, 1)  # a second run
            with urllib.request.urlopen(f"{address}/api/v2/alerts", timeout=5) as answer:
                [known] = json.load(answer)
            assert known["labels"]["cause"] == "the world changed" and known["status"]["state"] in ("active", "unprocessed")
            with pytest.raises(BadInput, match=f"{address}: Alertmanager answers 400: .*label"):
                send(address, {"labels": {}})
        finally:
            manager.kill()
