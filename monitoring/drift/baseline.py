"""The baseline of a version: read it, or make it from the first windows in service and record it in the registry (MON-3)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from monitoring.drift.windows import Period, closed_periods, read_windows
from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.judges.drift.baseline import baseline_json, make_baseline, parse_baseline
from robo_poet.judges.drift.observations import NOT_SCORED, Baseline, HeldOut, Window
from robo_poet.registry.reader import RegistryReader
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version
from robo_poet.settings.monitoring import DriftSettings

Score = Callable[[Version], HeldOut]  # scores the held-out text of a version, see `monitoring.drift.held_out`


def not_scored(_: Version) -> HeldOut:
    """Score nothing."""
    return NOT_SCORED


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


class FirstWindows(NamedTuple):
    """The first windows of a version with users: `accepted` ones, and the number of those `left_out` because of missing scores."""

    accepted: list[Window]
    left_out: int


def first_windows(requests: Path, version: Version, first: Period, last: Period, settings: DriftSettings) -> FirstWindows:
    """Return the first windows with users that the request log has, from `first` to `last`: what later windows are compared with.

    These are `baseline_windows` windows, or more if they have fewer than `min_users` users, or fewer if the log has no more. Idle days do
    not count, so a version that first got requests weeks after its promotion has first windows too.

    Args:
        requests: folder of the request log.
        first: the first complete window of the version as champion, see `first_period`.

    Raises:
        BadInput: the folder is not a request log, or a part of it cannot be read.
    """
    accepted: list[Window] = []
    left_out = 0
    if first.start <= last.start:
        for window in read_windows(requests, version.digest, first, last, settings.quota):
            if window.unscored > settings.max_unscored:
                left_out += 1
            elif window.users:
                accepted.append(window)
                if len(accepted) >= settings.baseline_windows and not few_users(accepted, settings):
                    break
    return FirstWindows(accepted, left_out)


def few_users(windows: Sequence[Window], settings: DriftSettings) -> str:
    """Return why these windows have too few users for a baseline; empty if they have enough."""
    users = sum(len(window.users) for window in windows)
    return f"the baseline would have {users} users, {settings.min_users} needed" if users < settings.min_users else ""


def record_baseline(
    store: Registry, folder: Path, settings: DriftSettings, now: datetime, *, since: datetime | None, who: str, why: str,
    held_out: Score = not_scored,
) -> Baseline:  # fmt: skip
    """Make the baseline of the champion from its first complete windows in service, and record it.

    Args:
        since: time in the first window; by default, the window after the promotion of the champion.
        held_out: scores the held-out text of a version.

    Raises:
        BadInput: there is no champion, or the windows have too few users or too many prompts without a score.
    """
    version, seconds = store.released(), settings.window_seconds
    first = Period.at(since, seconds) if since else first_period(store, version, seconds)
    last = closed_periods(now, seconds, 1)[0]
    if first.start > last.start:
        remedy = f"wait until {first.later(1)}, or name an earlier window with --since"
        raise BadInput(f"no complete window since {first}", where=f"version {version.number}", remedy=remedy)
    windows, left_out = first_windows(folder, version, first, last, settings)
    if doubt := few_users(windows, settings):
        remedy = "wait for more traffic, or lower monitoring.drift.min_users"
        if left_out:
            doubt += f", without {left_out} windows in which more than {settings.max_unscored:.0%} of the requests have no score"
            remedy = "let the request log score more prompts (serve.request_log)"
        raise BadInput(doubt, where=f"version {version.number} from {first} to {last}", remedy=remedy)
    baseline = make_baseline(windows, held_out(version))
    store.set_baseline(version.number, baseline_json(baseline), who=who, why=why)
    return baseline
