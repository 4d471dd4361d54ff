"""Compares the live traffic of a model's champion with its baseline, window by window (MON-3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitoring.drift.baseline import Score, not_scored, read_baseline
from monitoring.drift.history import Judged
from monitoring.drift.windows import Period, closed_periods, read_window
from robo_poet.digest import digest_json
from robo_poet.judges.drift.baseline import baseline_json
from robo_poet.judges.drift.judge import DriftVerdict, judge_drift
from robo_poet.judges.drift.observations import NOT_SCORED, Baseline, HeldOut, Window
from robo_poet.judges.drift.rise import live_perplexity, rise
from robo_poet.registry.reader import RegistryReader
from robo_poet.registry.versions.version import Version
from robo_poet.settings.monitoring import DriftSettings


@dataclass(frozen=True)
class DriftReport:
    """The live perplexity of the champion over the last windows.

    Attributes:
        version: the champion.
        rows: one object for each window with requests, see `window_row`.
        verdict: on the newest complete window.
    """

    version: Version
    rows: tuple[dict[str, Any], ...]
    verdict: DriftVerdict

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        verdict = self.verdict
        return {
            "model": self.version.model, "version": self.version.number, "digest": self.version.digest, "action": verdict.action,
            "reasons": list(verdict.reasons), "cause": verdict.cause, "windows": list(self.rows), "evidence": verdict.evidence,
        }  # fmt: skip


def report_drift(
    store: RegistryReader, folder: Path, settings: DriftSettings, now: datetime, count: int, held_out: Score = not_scored
) -> DriftReport:
    """Judge the traffic of the champion.

    Args:
        folder: folder of the request log.
        now: time with a time zone; windows that end before it are judged.
        count: number of windows.
        held_out: scores the held-out text of a version.

    Raises:
        BadInput: there is no champion, or the folder is not a request log.
        Corrupt: the registry was changed.
    """
    version = store.released()
    baseline = read_baseline(store, version)
    periods = closed_periods(now, settings.window_seconds, max(count, settings.windows))
    windows = [read_window(folder, version.digest, period, settings.quota) for period in periods]
    verdict = judge_drift(windows, baseline, settings.policy(), held_out(version))
    return DriftReport(version, tuple(window_row(window, baseline, settings) for window in windows if _has_requests(window)), verdict)


def _has_requests(window: Window) -> bool:
    return bool(window.users) or window.unscored > 0


def judge_window(
    version: int,
    digest: str,
    windows: Sequence[Window],
    baseline: Baseline | None,
    settings: DriftSettings,
    heldout: HeldOut = NOT_SCORED,
    *,
    snapshot: str,
    judged: float,
) -> Judged:
    """Judge the last one of the windows.

    Args:
        version, digest: the version that answered.
        windows: closed windows, oldest first. At least one.
        heldout: the version's held-out text, scored after the last window.
        snapshot: digest of the snapshot of the last window.
        judged: time of the verdict, in seconds since 1970.
    """
    window, verdict = windows[-1], judge_drift(windows, baseline, settings.policy(), heldout)
    return Judged(
        version, digest, digest_json(baseline_json(baseline)) if baseline else "", window.start, window.end, snapshot, judged,
        window_row(window, baseline, settings), verdict.action, list(verdict.reasons), verdict.cause, verdict.evidence,
    )  # fmt: skip


def window_row(window: Window, baseline: Baseline | None, settings: DriftSettings) -> dict[str, Any]:
    """Return what people read of a window: its start, users and share without a score.

    With users, also `perplexity`; with a baseline and enough users, also `rise`, `low` and `high`.
    """
    start = str(Period.since(window.start, settings.window_seconds))
    row: dict[str, Any] = {"window": start, "users": len(window.users), "unscored": window.unscored}
    if not window.users:
        return row
    row["perplexity"] = live_perplexity(window)
    if baseline is not None and len(window.users) >= settings.min_users:
        measured = rise(window, baseline, settings.level)
        row |= {"rise": measured.estimate, "low": measured.low, "high": measured.high}
    return row
