"""Send a drift to Alertmanager.

The labels are those of the rule RoboPoetPerplexityDrift. So Alertmanager sees one alert if the drift watcher reports the same drift, and it
starts at most one training run. The alert ends by itself if no later window repeats it.
"""

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from components.send_alert.component import send_alert
from robo_poet.errors import BadInput, parse_object
from robo_poet.step.program import Call, program

RULE = {"alertname": "RoboPoetPerplexityDrift", "severity": "warning"}  # infra/prometheus/alerts.yml
WINDOWS = 2.5  # lengths of a window for which the alert fires; until then the next window is judged
TIMEOUT = 30.0  # seconds


def alert(verdict: dict[str, Any]) -> dict[str, Any]:
    """Return the alert of a drift, in the form of Alertmanager's API version 2."""
    length, name = verdict["end"] - verdict["start"], f"{verdict['model']}/{verdict['version']}"
    return {
        "labels": RULE | {
            "model": verdict["model"], "version": str(verdict["version"]), "baseline": verdict["baseline"][:16], "cause": verdict["cause"],
        },
        "annotations": {
            "summary": f"The live perplexity of {name} rose by 20 % or more over its baseline",
            "description": f"Window {verdict['row']['window']}: {verdict['reasons'][0]}. Likely cause: {verdict['cause']}.",
            "runbook_url": "docs/runbooks/perplexity-drift.md",
        },
        "startsAt": datetime.fromtimestamp(verdict["end"], UTC).isoformat(),
        "endsAt": datetime.fromtimestamp(verdict["end"] + WINDOWS * length, UTC).isoformat(),
    }  # fmt: skip


def work(call: Call) -> None:
    """Send the alert and set the result `sent`."""
    path, address = call.inputs["verdict"], call.parameters["alertmanager"].rstrip("/")
    verdict = parse_object(path.read_text("utf-8"), where=str(path))
    if verdict.get("action") != "drift":
        raise BadInput("the verdict is not a drift", where=str(path), remedy="give the verdict of a drift")
    made = alert(verdict)
    call.result("sent", 0)
    if datetime.fromisoformat(made["endsAt"]).timestamp() <= time.time():
        call.note(f"no alert is sent: window {verdict['row']['window']} is older than {WINDOWS:g} windows")
        return
    if not address:
        call.warn("a drift, but no alert is sent: monitoring.alertmanager is not set")
        return
    send(address, made)
    call.result("sent", 1)
    call.progress(1, 1, f"Alertmanager has the alert: {made['annotations']['description']}")


def send(address: str, made: dict[str, Any]) -> None:
    """Send an alert.

    Raises:
        BadInput: Alertmanager cannot be reached or rejects the alert.
    """
    try:
        request = urllib.request.Request(f"{address}/api/v2/alerts", json.dumps([made]).encode(), {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT):
            return
    except urllib.error.HTTPError as error:
        with error:
            answer = error.read(300).decode("utf-8", "replace")
        raise BadInput(f"Alertmanager answers {error.code}: {' '.join(answer.split())}", where=address) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise BadInput(f"Alertmanager cannot be reached ({reason})", where=address, remedy="check monitoring.alertmanager") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(send_alert, work, argv)


if __name__ == "__main__":
    sys.exit(main())
