"""The baseline of a version: read it, or make it from the first windows in service and record it in the registry (MON-3)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitoring.drift.windows import Period, closed_periods, read_window
from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.judges.drift.baseline import baseline_json, make_baseline, parse_baseline
from robo_poet.judges.drift.observations import Baseline, Window
from robo_poet.registry.reader import RegistryReader
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version
from robo_poet.settings.monitoring import DriftSettings


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


def first_period(store: RegistryReader, version: Version, seconds: float) -> Period:
    """Return the first period in which the version was champion all the time."""
    statements: Sequence[Any] = [entry.statement for entry in store.log()]
    times = [s.time for s in statements if s.version == version.number and s.action == "promote"]
    return Period.at(datetime.fromisoformat(times[-1]).astimezone(UTC), seconds).later(1)


def record_baseline(
    store: Registry, folder: Path, settings: DriftSettings, now: datetime, *, since: datetime | None, who: str, why: str
) -> Baseline:
    """Make the baseline of the champion from its first complete windows in service, and record it.

    Args:
        since: time in the first window; by default, the window after the promotion of the champion.

    Raises:
        BadInput: there is no champion, or the windows have too few users or too many prompts without a score.
    """
    version, seconds = store.released(), settings.window_seconds
    first = Period.at(since, seconds) if since else first_period(store, version, seconds)
    last = closed_periods(now, seconds, 1)[0]
    if first.start > last.start:
        remedy = f"wait until {first.later(1)}, or name an earlier window with --since"
        raise BadInput(f"no complete window since {first}", where=f"version {version.number}", remedy=remedy)
    periods = [period for k in range(settings.baseline_windows) if (period := first.later(k)).start <= last.start]
    windows = [read_window(folder, version.digest, period, settings.quota) for period in periods]
    if doubt := baseline_doubt(windows, settings):
        raise BadInput(doubt[0], where=f"version {version.number} from {periods[0]} to {periods[-1]}", remedy=doubt[1])
    baseline = make_baseline(windows)
    store.set_baseline(version.number, baseline_json(baseline), who=who, why=why)
    return baseline


def baseline_doubt(windows: Sequence[Window], settings: DriftSettings) -> tuple[str, str] | None:
    """Return why these windows make no baseline, and the remedy; None if they do."""
    users, unscored = sum(len(window.users) for window in windows), max((window.unscored for window in windows), default=0.0)
    if users < settings.min_users:
        remedy = "wait for more traffic, or lower monitoring.drift.min_users"
        return f"the baseline would have {users} users, {settings.min_users} needed", remedy
    if unscored > settings.max_unscored:
        return f"{unscored:.0%} of the requests of a window have no score", "let the request log score more prompts (serve.request_log)"
    return None
