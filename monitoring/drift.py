"""Compares the live traffic of a model's champion with its baseline, and makes the baseline (MON-3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from monitoring.windows import closed_days, read_windows
from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.judges.drift.baseline import baseline_json, make_baseline, parse_baseline
from robo_poet.judges.drift.judge import DriftVerdict, judge_drift
from robo_poet.judges.drift.observations import Baseline, Window
from robo_poet.judges.drift.rise import live_perplexity, rise
from robo_poet.registry.reader import RegistryReader
from robo_poet.registry.registry import Registry
from robo_poet.registry.version import Version
from robo_poet.settings.monitoring import DriftSettings


@dataclass(frozen=True)
class DriftReport:
    """The live perplexity of the champion over the last days.

    Attributes:
        version: the champion.
        rows: one object for each day with requests: date, users, perplexity, and rise, low, high if there is a baseline and enough users.
        verdict: on the newest complete day.
    """

    version: Version
    rows: tuple[dict[str, Any], ...]
    verdict: DriftVerdict

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        verdict = self.verdict
        return {
            "model": self.version.model, "version": self.version.number, "digest": self.version.digest, "action": verdict.action,
            "reasons": list(verdict.reasons), "cause": verdict.cause, "days": list(self.rows), "evidence": verdict.evidence,
        }  # fmt: skip


def report_drift(store: RegistryReader, folder: Path, settings: DriftSettings, now: datetime, count: int) -> DriftReport:
    """Judge the traffic of the champion.

    Args:
        folder: folder of the request log.
        now: time with a time zone; days that end before it are judged.
        count: number of days.

    Raises:
        BadInput: there is no champion, or the folder is not a request log.
        Corrupt: the registry was changed.
    """
    version = store.released()
    baseline = read_baseline(store, version)
    days = closed_days(now, max(count, settings.windows))
    windows = read_windows(folder, version.digest, days, settings.quota)
    if windows and _day(windows[-1]) != days[-1]:
        verdict = DriftVerdict("cannot_tell", (f"there was no request on {days[-1]}",), "", {})
    else:
        verdict = judge_drift(windows, baseline, settings.policy())
    return DriftReport(version, tuple(_row(window, baseline, settings) for window in windows), verdict)


def read_baseline(store: RegistryReader, version: Version) -> Baseline | None:
    """Return the baseline of a version, None if it has none.

    Raises:
        BadInput: a newer release wrote it in another form.
    """
    data = store.baseline(version.number)
    try:
        return None if data is None else parse_baseline(data)
    except ValueError as error:
        remedy = f"set it again: {command(f'drift baseline --model {version.model}')}"
        raise BadInput(str(error), where=f"baseline of version {version.number}", remedy=remedy) from None


def record_baseline(
    store: Registry, folder: Path, settings: DriftSettings, now: datetime, *, since: date | None, who: str, why: str
) -> Baseline:
    """Make the baseline of the champion from its first complete days in service, and record it.

    Args:
        since: first day; by default the day after the promotion of the champion.

    Raises:
        BadInput: there is no champion, or the days have too few users or too many prompts without a score.
    """
    version = store.released()
    first = since or _promoted_on(store, version) + timedelta(days=1)
    last = closed_days(now, 1)[0]
    if first > last:
        where = f"version {version.number}"
        raise BadInput(
            f"no complete day since {first}", where=where, remedy=f"wait until {first + timedelta(days=1)}, or name a day with --since"
        )
    days = [first + timedelta(days=k) for k in range(settings.baseline_windows)]
    windows = read_windows(folder, version.digest, [day for day in days if day <= last], settings.quota)
    users, unscored = sum(len(window.users) for window in windows), max((window.unscored for window in windows), default=0.0)
    where = f"version {version.number} from {first} to {min(last, days[-1])}"
    if users < settings.min_users:
        remedy = "wait for more traffic, or lower monitoring.drift.min_users"
        raise BadInput(f"the baseline would have {users} users, {settings.min_users} needed", where=where, remedy=remedy)
    if unscored > settings.max_unscored:
        remedy = "let the request log score more prompts (serve.request_log)"
        raise BadInput(f"{unscored:.0%} of the requests of a day have no score", where=where, remedy=remedy)
    baseline = make_baseline(windows)
    store.set_baseline(version.number, baseline_json(baseline), who=who, why=why)
    return baseline


def _row(window: Window, baseline: Baseline | None, settings: DriftSettings) -> dict[str, Any]:
    row: dict[str, Any] = {"date": str(_day(window)), "users": len(window.users), "unscored": window.unscored}
    if not window.users:
        return row
    row["perplexity"] = live_perplexity(window)
    if baseline is not None and len(window.users) >= settings.min_users:
        measured = rise(window, baseline, settings.level)
        row |= {"rise": measured.estimate, "low": measured.low, "high": measured.high}
    return row


def _day(window: Window) -> date:
    return datetime.fromtimestamp(window.start, UTC).date()


def _promoted_on(store: RegistryReader, version: Version) -> date:
    statements: Sequence[Any] = [entry.statement for entry in store.log()]
    times = [s.time for s in statements if s.version == version.number and s.action == "promote"]
    return date.fromisoformat(times[-1][:10])
