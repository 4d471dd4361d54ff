"""Runs the watcher of one model until it is stopped, and exports its metrics on a port (MON-2)."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from monitoring.drift.baseline import Score, not_scored
from monitoring.drift.gauges import WatcherSeries
from monitoring.drift.history import History, Judged
from monitoring.drift.watch import Watcher
from robo_poet.errors import BadInput
from robo_poet.exporter import exporter
from robo_poet.registry.registry import Registry
from robo_poet.settings.monitoring import MonitoringSettings

log = logging.getLogger("monitoring.drift")
LONGEST_WAIT = 60.0  # seconds between two looks; a look without a new window reads the registry's new entries only
FIRST_RETRY, LONGEST_RETRY = 1.0, 300.0  # seconds until the next look after an error; the wait doubles


def watch(
    store: Registry, requests: Path, folder: Path, settings: MonitoringSettings, say: Callable[[str], None], stopped: threading.Event,
    now: Callable[[], float] = time.time, held_out: Score = not_scored,
) -> None:  # fmt: skip
    """Judge each window when it is complete, until `stopped`. An error is reported once, and the look is repeated later.

    Args:
        requests: folder of the request log.
        folder: folder of the history.
        say: called with a line for each judged window and each new error.
        now: seconds since 1970.
        held_out: scores the held-out text of a version.

    Raises:
        BadInput: the port of the metrics cannot be used, or the history cannot be read.
    """
    history = History(folder)
    watcher = Watcher(store, requests, settings.drift, history, now, held_out, say)
    series = WatcherSeries(store.model, settings.drift.window_seconds, next(reversed(history.judged()), None))
    trouble, retry = "", FIRST_RETRY
    with exporter(series.registry, settings.host, settings.port, "monitoring.port") as address:
        say(f"drift: ready, metrics at {address}")
        while not stopped.is_set():
            try:
                for judged in watcher.look():
                    series.newest = judged
                    say(line(store.model, judged))
                series.looked(now())
                trouble, retry, wait = "", FIRST_RETRY, min(LONGEST_WAIT, settings.drift.window_seconds / 20)
            except (BadInput, OSError) as error:
                series.errors.inc()
                if trouble != str(error):
                    trouble = str(error)
                    say(f"no window is judged: {error}")
                wait, retry = retry, min(2 * retry, LONGEST_RETRY)
            stopped.wait(wait)


def line(model: str, judged: Judged) -> str:
    """Return one line about a judged window."""
    cause = f"; likely cause: {judged.cause}" if judged.cause else ""
    return f"{model}/{judged.version} {judged.row['window']}: {judged.action.replace('_', ' ')}: {judged.reasons[0]}{cause}"
