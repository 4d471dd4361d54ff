"""Drift of live traffic: a real request log and a real registry; only the users are made.

Covers: report, baseline.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.drift.baseline import read_baseline, record_baseline
from monitoring.drift.report import report_drift
from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.settings.monitoring import DriftSettings
from tests.monitoring.logged import FIRST, Sent, write_log
from tests.robo_poet.registry.released import released

SETTINGS = DriftSettings(min_users=40, baseline_windows=3)
SAID = {"who": "ada", "why": "test"}
SINCE = datetime(2026, 3, 2, tzinfo=UTC)
ENGLISH, GERMAN = "the night falls softly upon the hills of gold", "die Nacht fällt leise über die goldenen Hügel und das Tal"


def after(days: int) -> datetime:
    """The end of so many days of traffic."""
    return FIRST + timedelta(days=days, minutes=15)


def people(store: Registry, day: int, users: int = 60, nats: float = 4.0, prompt: str = ENGLISH) -> Iterator[Sent]:
    dice, digest = random.Random(day), store.released().digest
    for user in range(users):
        yield Sent(f"u{user}", dice.gauss(nats, 0.3), prompt, day=day + 0.3, digest=digest)


@pytest.fixture
def store(tmp_path: Path) -> Registry:
    return released(tmp_path)


def test_a_rise_on_two_days_is_a_drift(store: Registry, tmp_path: Path) -> None:
    days = [*(person for day in range(3) for person in people(store, day))]
    days += [*people(store, 3), *people(store, 4, nats=4.5), *people(store, 5, nats=4.5)]
    log = write_log(tmp_path / "requests", days)
    assert report_drift(store, log, SETTINGS, after(4), 14).verdict.reasons[0].startswith("the version has no baseline")
    made = record_baseline(store, log, SETTINGS, after(6), since=SINCE, **SAID)
    assert made.everyone.users == 180 and read_baseline(Registry(store.root, "poems"), store.released()) == made
    actions = [report_drift(store, log, SETTINGS, after(days), 14).verdict.action for days in (4, 5, 6)]
    assert actions == ["no_drift", "rising", "drift"]
    report = report_drift(store, log, SETTINGS, after(6), 14)
    assert report.verdict.cause == "the world changed" and [row["window"] for row in report.rows][-1] == "2026-03-07"
    assert report.rows[-1]["rise"] == pytest.approx(0.65, abs=0.2) and report.as_json()["action"] == "drift"


def test_a_new_language_is_named(store: Registry, tmp_path: Path) -> None:
    days = [*(person for day in range(3) for person in people(store, day))]
    for day in (3, 4):
        mixed = [sent._replace(prompt=GERMAN, nats=(sent.nats or 0) + 1.5) if k < 20 else sent for k, sent in enumerate(people(store, day))]
        days += mixed
    log = write_log(tmp_path / "requests", days)
    record_baseline(store, log, SETTINGS, after(5), since=SINCE, **SAID)
    verdict = report_drift(store, log, SETTINGS, after(5), 14).verdict
    assert (verdict.action, verdict.cause) == ("drift", "a new group of users") and "language de: 33% of the users now" in verdict.reasons[
        1
    ]


def test_a_user_with_many_prompts_moves_nothing(store: Registry, tmp_path: Path) -> None:
    days = [*(person for day in range(5) for person in people(store, day))]
    days += [Sent("hostile", 12.0, "zx qw", day=3.5 + k / 2000, digest=store.released().digest) for k in range(2000)]
    log = write_log(tmp_path / "requests", days)
    record_baseline(store, log, SETTINGS, after(5), since=SINCE, **SAID)
    report = report_drift(store, log, SETTINGS, after(5), 14)
    assert report.verdict.action == "no_drift" and abs(report.rows[3]["rise"]) < 0.25


def test_a_baseline_needs_users_and_scores(store: Registry, tmp_path: Path) -> None:
    few = write_log(tmp_path / "few", people(store, 0, users=10))
    with pytest.raises(BadInput, match="would have 10 users, 40 needed"):
        record_baseline(store, few, SETTINGS, after(1), since=SINCE, **SAID)
    unscored = [sent._replace(nats=None) if k % 3 else sent for k, sent in enumerate(people(store, 0, users=200))]
    with pytest.raises(
        BadInput, match="would have 0 users, 40 needed, without 1 windows in which more than 20% of the requests have no score"
    ):
        record_baseline(store, write_log(tmp_path / "unscored", unscored), SETTINGS, after(1), since=SINCE, **SAID)
    with pytest.raises(BadInput, match="version 1: no complete window since 2026-03-02; wait until 2026-03-03"):
        record_baseline(store, few, SETTINGS, after(0), since=SINCE, **SAID)
    assert store.baseline(1) is None


def test_a_day_without_traffic_is_no_verdict(store: Registry, tmp_path: Path) -> None:
    log = write_log(tmp_path / "requests", [person for day in range(3) for person in people(store, day)])
    record_baseline(store, log, SETTINGS, after(3), since=SINCE, **SAID)
    verdict = report_drift(store, log, SETTINGS, after(4), 14).verdict
    assert (verdict.action, verdict.reasons[0]) == ("cannot_tell", "there was no request in the window")


def test_without_requests_there_is_no_window(store: Registry, tmp_path: Path) -> None:
    (tmp_path / "requests").mkdir()
    report = report_drift(store, tmp_path / "requests", SETTINGS, datetime(2026, 3, 9, tzinfo=UTC), 14)
    assert report.rows == () and report.verdict.action == "cannot_tell"


def test_a_baseline_of_another_form_is_said(store: Registry, tmp_path: Path) -> None:
    store.set_baseline(1, {"everyone": {}}, **SAID)
    (tmp_path / "requests").mkdir()
    with pytest.raises(BadInput, match="baseline of version 1: not a baseline.*robo-poet drift baseline"):
        report_drift(store, tmp_path / "requests", SETTINGS, after(1), 14)
