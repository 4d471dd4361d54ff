"""The record of a replay: what Prometheus, the registry, the drift watcher and the trigger say about it, in one JSON file.

The page is made from the record alone, so a test can make it without a replay.
"""

import json
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cli.replay.journal import Journal
from cli.replay.story import FACTOR, MODEL, Scene, kept_evidence
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Action, Statement

FORM = 1
STEP_SECONDS = 1.0  # between two values of a series
DECISIONS = {
    Action.PROMOTE: "promoted", Action.SET_SHARE: "next step", Action.REJECT: "rolled back", Action.END_WATCH: "serves all users",
    Action.START_CANARY: "canary", Action.SET_BASELINE: "baseline", Action.REGISTER: "registered", Action.ADD_SOURCE: "corpus",
}  # fmt: skip


def traffic_query(range_: str) -> str:
    """Return the expression of the answered requests per second by version, over a range such as 5s."""
    return f'sum by (version) (rate(robo_poet_requests_total{{route="generate",status="2xx",version!="none"}}[{range_}]))'


def collect(journal: Journal, scene: Scene, error: str) -> dict[str, Any]:
    """Return the record of a replay. Call it before the programs end.

    Args:
        error: why the replay ended early; empty if all acts happened. `stopped` is true if somebody stopped it.
    """
    now = time.time()
    series = scene.prometheus.over_time if scene.prometheus else lambda *_: []
    traffic = {
        version["metric"]["version"]: [(float(at), float(value)) for at, value in version["values"]]
        for version in series(traffic_query("10s"), journal.began, now, STEP_SECONDS)
    }  # fmt: skip
    alerts: dict[str, list[float]] = defaultdict(list)
    for alert in series('ALERTS{alertstate="firing"}', journal.began, now, STEP_SECONDS):
        alerts[alert["metric"]["alertname"]] += [float(at) for at, _ in alert["values"]]
    users = scene.users
    return {
        "form": FORM, "model": MODEL, "began": journal.began, "ended": now, "error": error,
        "stopped": any(act.status == "stopped" for act in journal.acts), "acts": journal.as_json(),
        "traffic": traffic, "alerts": {name: sorted(times) for name, times in alerts.items()},
        "delivered": [asdict(message) for message in scene.programs.delivered], "decisions": decisions(scene),
        "windows": [asdict(window) for window in scene.history.judged()], "requests": [asdict(request) for request in scene.requests()],
        "asked": users.asked if users else 0, "failed": users.failed if users else 0, "factor": FACTOR, "changed": [],
    }  # fmt: skip


def decisions(scene: Scene) -> list[dict[str, Any]]:
    """Return the entries of the registry's log, with the verdicts of the gates and the evidence of the canary judge."""
    evidence, rows = kept_evidence(scene.folder), []
    for entry in scene.registry.log():
        said, shown, unreadable = entry.statement, None, ""
        try:
            shown = evidence.read(said.details["evidence"]) if said.details.get("evidence") else None
        except BadInput as error:  # the page says so
            unreadable = str(error)
        rows.append({
            "time": said.time, "action": DECISIONS.get(Action(said.action), str(said.action)), "version": said.version, "who": said.who,
            "why": said.why, "share": said.details.get("share"), "evidence": shown, "unreadable": unreadable, "gates": gates(scene, said),
        })  # fmt: skip
    return rows


def gates(scene: Scene, said: Statement) -> list[dict[str, Any]]:
    """Return the verdicts of the gates if an entry registers a version; else an empty list."""
    if said.action != Action.REGISTER:
        return []
    return list(scene.registry.version(said.version).manifest().decision.get("gates", ()))


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a record."""
    write_text(path, json.dumps(record, indent=1) + "\n")
