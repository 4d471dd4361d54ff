"""The watcher of a model: judges each window when it is complete, makes the baseline, and keeps the history (MON-3).

All its state is in the registry's log, the request log and the history, so a watcher that was killed continues where it stopped.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from monitoring.drift.baseline import Score, few_users, first_period, first_windows, not_scored, read_baseline
from monitoring.drift.history import History, Judged
from monitoring.drift.report import judge_window
from monitoring.drift.windows import Period, closed_periods, read_window
from robo_poet.judges.drift.baseline import baseline_json, make_baseline
from robo_poet.judges.drift.observations import OLDER_WINDOW, Baseline, HeldOut, Window
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version
from robo_poet.settings.monitoring import DriftSettings

log = logging.getLogger("monitoring.drift")
WHO = "drift watcher"
CATCH_UP = 35  # windows that are judged after a pause of the watcher; older ones are left out


class Watcher:
    """The watcher of one model.

    Args:
        store: registry of the model. The watcher records the baseline of a version in it.
        requests: folder of the request log.
        history: where the judged windows are kept.
        now: seconds since 1970.
        held_out: scores the held-out text of a version.
        say: called with a line about a baseline without a score of held-out text.
    """

    def __init__(
        self, store: Registry, requests: Path, settings: DriftSettings, history: History, now: Callable[[], float] = time.time,
        held_out: Score = not_scored, say: Callable[[str], None] = log.warning,
    ) -> None:  # fmt: skip
        self._store, self._requests, self._settings, self._history, self._now = store, requests, settings, history, now
        self._held_out, self._say = held_out, say

    def look(self) -> list[Judged]:
        """Judge the complete windows of the champion that have no verdict, oldest first. Return them.

        A verdict from the future does not count: the clock was set back, and the window was not complete then.

        Raises:
            BadInput: there is no champion, or the request log or a file of the history cannot be read.
            Corrupt: the registry was changed.
        """
        version, now, seconds = self._store.released(), self._now(), self._settings.window_seconds
        first = first_period(self._store, version, seconds)
        periods = closed_periods(datetime.fromtimestamp(now, UTC), seconds, max(CATCH_UP, self._settings.windows))
        judged = {verdict.start: verdict for verdict in self._history.judged(version.digest) if verdict.judged <= now}
        pending = [period for period in periods if period.start >= first.start and period.start.timestamp() not in judged]
        if not pending:
            return []
        served = self._held_out(version)
        baseline = read_baseline(self._store, version) or self._make_baseline(version, first, pending[-1], served)
        return [self._judge(version, period, baseline, judged, served if period == periods[-1] else OLDER_WINDOW) for period in pending]

    def _judge(self, version: Version, period: Period, baseline: Baseline | None, judged: dict[float, Judged], heldout: HeldOut) -> Judged:
        window = self._read(version, period)
        snapshot = self._history.snapshot(version.digest, window)
        earlier = [judged.get(period.later(-back).start.timestamp()) for back in range(self._settings.windows - 1, 0, -1)]
        windows = [*(self._history.window(verdict) for verdict in earlier if verdict), window]
        now = self._now()
        result = judge_window(
            version.number, version.digest, windows, baseline, self._settings, heldout, snapshot=snapshot, judged=now
        )  # fmt: skip
        self._history.add(result)
        judged[window.start] = result
        return result

    def _make_baseline(self, version: Version, first: Period, last: Period, heldout: HeldOut) -> Baseline | None:
        """Record the baseline from the first windows with users, see `first_windows`. Return None if there are not enough yet.

        Without a score of held-out text, nobody can say later that the model itself changed. So if the model server does not answer, the
        baseline is made one window later, with or without the score.
        """
        windows = first_windows(self._requests, version, first, last, self._settings).accepted
        if len(windows) < self._settings.baseline_windows or few_users(windows, self._settings):
            return None
        if heldout.nats is None and self._held_out is not not_scored:
            postponed = heldout.passing and windows[-1].end >= last.end.timestamp()
            what = "is made one window later" if postponed else "cannot show that the model itself changed"
            self._say(f"{version.name}: the baseline {what}: held-out text was not scored: {heldout.doubt}")
            if postponed:
                return None
        made = make_baseline(windows, heldout)
        why = f"the first {len(windows)} windows in service"
        self._store.set_baseline(version.number, baseline_json(made), who=WHO, why=why)
        log.info("%s: baseline of %d users from %s", version.name, made.everyone.users, why)
        return made

    def _read(self, version: Version, period: Period) -> Window:
        return read_window(self._requests, version.digest, period, self._settings.quota)
