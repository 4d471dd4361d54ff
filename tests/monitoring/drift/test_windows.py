"""Windows of live traffic from a request log that the real writer wrote."""

import math
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.drift.windows import Period, closed_periods, read_window, read_windows
from robo_poet.errors import BadInput
from tests.monitoring.logged import FIRST, Sent, write_log

DAY = Period.at(datetime(2026, 3, 2, 7, tzinfo=UTC), 86_400)


def test_each_user_has_one_score(tmp_path: Path) -> None:
    prompts = [Sent("ann", 3.0, tokens=2), Sent("ann", 5.0, tokens=6), Sent("ben", 4.0), Sent("ann", None)]
    window = read_window(write_log(tmp_path, prompts), "d" * 64, DAY, 20)
    assert (window.start, window.end) == (FIRST.timestamp(), FIRST.timestamp() + 86400) and window.unscored == 0.25
    ann, ben = window.users
    assert ann.nats == pytest.approx(4.5) and (ann.prompts, ann.tokens) == (2, 4.0)  # weighted by tokens
    assert ben.nats == pytest.approx(4.0) and ben.value("language") == "en" and ben.value("length") == "5-8"


def test_the_client_of_a_user_is_that_of_most_prompts(tmp_path: Path) -> None:
    clients = [("ann", "key"), ("ann", "application"), ("ann", "application"), ("ben", "")]
    log = write_log(tmp_path, (Sent(user, 4.0, client=client) for user, client in clients))
    ann, ben = read_window(log, "d" * 64, DAY, 20).users
    assert ann.value("client") == "application" and not ben.known("client") and ben.value("client") == "unknown"


def test_other_versions_days_and_failures_do_not_count(tmp_path: Path) -> None:
    prompts = [Sent("ann", 3.0), Sent("ben", 4.0, digest="e" * 64), Sent("cat", 4.0, day=1.5), Sent("dan", 4.0, status=429)]
    log = write_log(tmp_path, prompts)
    assert [len(read_window(log, "d" * 64, DAY.later(k), 20).users) for k in (0, 1, 2)] == [1, 1, 0]


@pytest.mark.parametrize("hours", [7, 24, 72])
def test_windows_in_one_pass_are_those_read_one_by_one(tmp_path: Path, hours: int) -> None:
    dice = random.Random(hours)
    days = sorted(dice.uniform(0, 9) for _ in range(80))
    log = write_log(tmp_path, (Sent(f"u{k % 7}", 3.0 + k % 3, day=day + 2 * (day > 4)) for k, day in enumerate(days)))
    first = Period.at(FIRST + timedelta(hours=5), hours * 3600)
    periods = [first.later(k) for k in range(12 * 24 // hours)]
    single = [read_window(log, "d" * 64, period, 20) for period in periods]
    windows = list(read_windows(log, "d" * 64, first, periods[-1], 20))
    assert windows == [window for window in single if window.users] and 0 < len(windows) <= len(single)


def test_a_user_with_many_prompts_has_a_quota(tmp_path: Path) -> None:
    prompts = [Sent("ann", 9.0 if k % 2 else 3.0) for k in range(200)]
    window = read_window(write_log(tmp_path, prompts), "d" * 64, DAY, 20)
    assert window.users[0].prompts == 20 and 3.0 < window.users[0].nats < 9.0


@given(st.integers(0, 1000))
def test_the_quota_does_not_depend_on_the_order(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    from monitoring.drift.windows import COLUMNS, _Collected
    from robo_poet.request_log.query import read

    log = tmp_path_factory.getbasetemp() / "one-user"
    if not log.exists():
        write_log(log, [Sent("ann", float(k % 7)) for k in range(1, 60)])
    table = read(log).select(COLUMNS)
    order = list(range(table.num_rows))
    random.Random(seed).shuffle(order)
    scores = []
    for rows in (table, table.take(order)):
        collected = _Collected(10)
        collected.add(rows)
        scores.append(collected.users())
    assert scores[0] == scores[1]


@pytest.mark.parametrize(
    ("prompt", "broken", "language"),
    [
        ("for (i = 0; i < n; i++) { x[i] += y[i] * w[i]; } // sum", True, None),
        ("\x00\x01\x02\ufffd\ufffd\ufffd a \x03\x04", True, "unknown"),
        ("Shall I compare thee to a summer's day? Thou art more lovely", False, "en"),
        ("El viento de la noche gira en el cielo y canta", False, "es"),
        ("<PERSON> <PERSON> wrote to me", False, "unknown"),
        (None, False, "unknown"),
    ],
)
def test_what_the_text_of_a_prompt_says(tmp_path: Path, prompt: str | None, broken: bool, language: str | None) -> None:
    window = read_window(write_log(tmp_path, [Sent("ann", 4.0, prompt)]), "d" * 64, DAY, 20)
    [user] = window.users
    assert (user.broken >= 0.03) is broken and language in (None, user.value("language"))


def test_a_perplexity_of_one_or_infinity_is_no_error(tmp_path: Path) -> None:
    window = read_window(write_log(tmp_path, [Sent("ann", 0.0), Sent("ben", 700.0), Sent("cat", 4.0)]), "d" * 64, DAY, 20)
    assert [math.isfinite(user.nats) for user in window.users] == [True] * 3


def test_a_day_is_complete_ten_minutes_after_its_end() -> None:
    def names(*time: int) -> list[str]:
        return [str(period) for period in closed_periods(datetime(*time, tzinfo=UTC), 86_400, 2)]

    assert names(2026, 3, 3, 0, 5) == ["2026-02-28", "2026-03-01"]
    assert names(2026, 3, 3, 0, 11) == ["2026-03-01", "2026-03-02"]


@given(st.floats(10, 7 * 86_400), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(1, 5))
def test_complete_windows_follow_each_other(seconds: float, moment: datetime, count: int) -> None:
    now = moment.replace(tzinfo=UTC)
    periods = closed_periods(now, seconds, count)
    assert len(periods) == count and all(abs(one.end - two.start) < timedelta(seconds=0.01) for one, two in pairwise(periods))
    assert timedelta() < now - periods[-1].end < timedelta(seconds=1.01 * seconds + 6)


def test_a_short_window_has_a_time_in_its_name() -> None:
    assert str(Period.at(datetime(2026, 3, 2, 14, 5, 33, tzinfo=UTC), 30)) == "2026-03-02 14:05:30"


def test_a_folder_that_is_no_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        read_window(tmp_path / "missing", "d" * 64, DAY, 20)
