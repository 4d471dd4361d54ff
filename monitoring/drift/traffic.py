"""All that a verdict on a window needs, as one folder: snapshots of windows and the baseline (contract 14).

The step `collect_window` writes it from the request log and the registry, which change. The step `judge_drift` reads nothing else, so the
same folder always gives the same verdict.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.drift.baseline import Score, first_period, first_windows, not_scored, read_baseline
from monitoring.drift.snapshot import read_snapshot, write_snapshot
from monitoring.drift.windows import Period, closed_periods, read_window
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.judges.drift.baseline import baseline_json, parse_baseline
from robo_poet.judges.drift.observations import NOT_SCORED, OLDER_WINDOW, Baseline, HeldOut, Window
from robo_poet.registry.reader import RegistryReader
from robo_poet.settings.monitoring import DriftSettings

FORM = 1
INDEX = "traffic.json"


@dataclass(frozen=True)
class Traffic:
    """A window of the champion, and what it is compared with.

    Attributes:
        model: name of the model.
        version: number of the champion; 0 if there is none.
        digest: digest of the champion; empty if there is none.
        start, end: of the window, in seconds since 1970.
        doubt: why there is no window to judge; empty if there is one.
        baseline: None if the champion has none.
        windows: the window is the last one. Windows before it that the judge needs, oldest first.
        reference: the first windows of the champion with users, for the comparison by Evidently.
        heldout: the held-out text of the champion, scored after the window.
    """

    model: str
    version: int
    digest: str
    start: float
    end: float
    doubt: str = ""
    baseline: Baseline | None = None
    windows: Sequence[Window] = field(default_factory=tuple)
    reference: Sequence[Window] = field(default_factory=tuple)
    heldout: HeldOut = NOT_SCORED


def named_period(text: str, seconds: float, now: datetime) -> Period:
    """Return the newest complete window, or the complete window that contains a time.

    Args:
        text: time in ISO 8601, UTC without a time zone, such as `2026-03-02`; empty for the newest window.
        seconds: length of a window.

    Raises:
        BadInput: not a time, or the window is not complete.
    """
    newest = closed_periods(now, seconds, 1)[0]
    if not text:
        return newest
    try:
        moment = datetime.fromisoformat(text)
        period = Period.at(moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo), seconds)
    except (ValueError, OverflowError):
        raise BadInput("not a time", where=f"window {text!r}", remedy="give the start of a window, such as 2026-03-02") from None
    if period.start > newest.start:
        raise BadInput("the window is not complete", where=f"window {text}", remedy=f"the newest complete window is {newest}")
    return period


def collect_traffic(
    store: RegistryReader, requests: Path, settings: DriftSettings, period: Period, now: datetime, held_out: Score = not_scored
) -> Traffic:
    """Read a window of the champion and what it is compared with. Without a champion, or before its service, the result has no window.

    Args:
        requests: folder of the request log.
        now: time with a time zone. Held-out text is scored only if the window is the newest complete one.
        held_out: scores the held-out text of a version.

    Raises:
        BadInput: the request log cannot be read, or the log of the registry is lost.
        Corrupt: the registry was changed.
    """
    version, times = store.pinned_champion(""), (period.start.timestamp(), period.end.timestamp())
    if version is None:
        return Traffic(store.model, 0, "", *times, doubt="the model has no champion")
    first = first_period(store, version, settings.window_seconds)
    if period.start < first.start:
        doubt = f"the first complete window of version {version.number} as champion is {first}"
        return Traffic(store.model, version.number, version.digest, *times, doubt=doubt)

    past = [period.later(-back) for back in range(settings.windows - 1, -1, -1)]
    windows = [read_window(requests, version.digest, earlier, settings.quota) for earlier in past if earlier.start >= first.start]
    reference = first_windows(requests, version, first, period.later(-1), settings).accepted
    newest = period == closed_periods(now, settings.window_seconds, 1)[0]
    heldout = held_out(version) if newest else OLDER_WINDOW
    return Traffic(store.model, version.number, version.digest, *times, "", read_baseline(store, version), windows, reference, heldout)


def write_traffic(folder: Path, traffic: Traffic) -> None:
    """Write the folder. The same traffic gives the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {
        "form": FORM, "model": traffic.model, "version": traffic.version, "digest": traffic.digest, "start": traffic.start,
        "end": traffic.end, "doubt": traffic.doubt, "baseline": baseline_json(traffic.baseline) if traffic.baseline else None,
        "heldout": asdict(traffic.heldout),
    }  # fmt: skip
    for name in ("windows", "reference"):
        snapshots = {}
        for window in getattr(traffic, name):
            file = f"{window.start:014.3f}.parquet"
            snapshots[file] = write_snapshot(folder / file, window)
        index[name] = snapshots
    write_text(folder / INDEX, json.dumps(index, indent=1, sort_keys=True) + "\n")


def read_traffic(folder: Path) -> tuple[Traffic, str]:
    """Return the traffic of a folder, and the digest of the window's snapshot (empty without a window).

    Raises:
        BadInput: the folder has another form, or a snapshot was changed.
    """
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text("utf-8"))
        if index["form"] != FORM:
            raise ValueError(f"form {index['form']}, this release reads {FORM}")
        sides = {name: sorted(index[name].items()) for name in ("windows", "reference")}
        baseline = None if index["baseline"] is None else parse_baseline(index["baseline"])
        heldout = HeldOut(**index["heldout"]) if "heldout" in index else NOT_SCORED  # an older release has none
        about = {name: index[name] for name in ("model", "version", "digest", "start", "end", "doubt")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"not the traffic of a window ({error})", where=str(folder), remedy="run collect_window again") from None
    windows, reference = ([read_snapshot(folder / file, digest) for file, digest in sides[name]] for name in ("windows", "reference"))
    traffic = Traffic(**about, baseline=baseline, windows=windows, reference=reference, heldout=heldout)
    return traffic, sides["windows"][-1][1] if windows else ""
