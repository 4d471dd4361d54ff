"""The runs of the drift-watch pipeline that requests for a retraining refer to. `robo-poet gc` keeps them with their snapshots."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monitoring.retraining.facts import BASELINE_DIGITS
from monitoring.retraining.log import RetrainingLog
from robo_poet.judges.retraining.state import Key, Request

VERDICT = "verdict.json"  # in the folder of a run


def requests_of(folder: Path) -> list[Request]:
    """Return the requests of all models.

    Args:
        folder: of the trigger. It may be missing.

    Raises:
        Corrupt: a log was changed.
    """
    models = sorted(path.parent for path in folder.glob("*/log") if path.is_dir())
    return [request for place in models for request in RetrainingLog(place / "log", place.name).state().requests]


def runs_of_requests(requests: Iterable[Request], runs: Path) -> set[Path]:
    """Return for each request the run with its window, or else the newest run that found the same drift; at most one run each.

    Args:
        runs: folder of the runs of the drift-watch pipeline. It may be missing.
    """
    drifts = [(path.parent, verdict) for path in sorted(runs.resolve().glob(f"[!.]*/{VERDICT}")) if (verdict := _drift(path))]
    kept = set[Path]()
    for request in requests:
        same = [(folder, verdict) for folder, verdict in drifts if _key(verdict) == request.key]
        same.sort(key=lambda drift: (drift[1].get("snapshot") == request.window, drift[1].get("end", 0.0), drift[0].name))
        kept |= {folder for folder, _ in same[-1:]}
    return kept


def _drift(path: Path) -> dict[str, Any]:
    """Return a verdict that is a drift; empty for another one, and for a file that cannot be read: such a run keeps nothing."""
    try:
        verdict = json.loads(path.read_text("utf-8"))
        return verdict if verdict["action"] == "drift" and not path.parent.is_symlink() else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _key(verdict: dict[str, Any]) -> Key:
    baseline = str(verdict.get("baseline", ""))[:BASELINE_DIGITS]
    return Key(str(verdict.get("model", "")), verdict.get("version", 0), baseline, str(verdict.get("cause", "")))
