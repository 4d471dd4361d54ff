"""The watcher of a model on a real registry and a real request log.

Covers: watch, program, gauges, history.
"""

import json
import random
import socket
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.drift.history import History
from monitoring.drift.program import watch
from monitoring.drift.traffic import collect_traffic
from monitoring.drift.watch import WHO, Watcher
from monitoring.drift.windows import Period
from robo_poet.errors import BadInput
from robo_poet.judges.drift.observations import NOT_SCORED, HeldOut
from robo_poet.registry.registry import Registry
from robo_poet.settings.monitoring import DriftSettings, MonitoringSettings
from tests.monitoring.logged import FIRST, Sent, write_log
from tests.robo_poet.registry.released import released

SETTINGS = DriftSettings(min_users=40, baseline_windows=2)
TODAY = (datetime.now(UTC) - FIRST).days  # the registry's log has the present time, so the champion serves from today on


def users(store: Registry, day: int, nats: float = 4.0, count: int = 60) -> Iterator[Sent]:
    dice, digest = random.Random(day), store.released().digest
    for user in range(count):
        yield Sent(f"u{user}", dice.gauss(nats, 0.3), day=TODAY + day + 0.3, digest=digest)


def at(day: int) -> float:
    """20 minutes after midnight, so many days from now."""
    return (FIRST + timedelta(days=TODAY + day, minutes=20)).timestamp()


class Clock:
    def __init__(self, day: int) -> None:
        self.day = day

    def __call__(self) -> float:
        return at(self.day)


@pytest.fixture
def store(tmp_path: Path) -> Registry:
    return released(tmp_path)


def log_of(store: Registry, folder: Path, *days: tuple[int, float]) -> Path:
    return write_log(folder / "requests", (person for day, nats in days for person in users(store, day, nats)))


def test_each_window_is_judged_once_and_the_baseline_is_made(store: Registry, tmp_path: Path) -> None:
    log = log_of(store, tmp_path, (1, 4.0), (2, 4.0), (3, 4.0), (4, 4.6), (5, 4.6))
    clock, history = Clock(1), History(tmp_path / "drift")
    watcher = Watcher(store, log, SETTINGS, history, clock)
    assert watcher.look() == []  # the day of the promotion is not complete in service
    clock.day = 2
    assert [judged.action for judged in watcher.look()] == ["cannot_tell"] and store.baseline(1) is None
    for clock.day, action in ((3, "no_drift"), (4, "no_drift"), (5, "rising"), (6, "drift")):
        assert [judged.action for judged in watcher.look()] == [action]
        assert watcher.look() == []
    last = history.judged()[-1]
    assert last.cause == "the world changed" and last.row["rise"] > 0.5 and len(last.baseline) == 64
    assert [entry.statement.who for entry in store.log() if entry.statement.action == "set_baseline"] == [WHO]


def test_a_watcher_after_a_pause_judges_the_same(store: Registry, tmp_path: Path) -> None:
    log = log_of(store, tmp_path, (1, 4.0), (2, 4.0), (3, 4.6), (4, 4.6))
    histories = []
    for folder, days in (("each", (2, 3, 4, 5)), ("late", (3, 5))):
        history = History(tmp_path / folder)
        for day in days:
            Watcher(store, log, SETTINGS, history, Clock(day)).look()  # a new watcher each time, as after a kill
        histories.append([(judged.start, judged.action, judged.snapshot) for judged in history.judged()])
    assert [action for _, action, _ in histories[0]] == ["cannot_tell", "no_drift", "rising", "drift"]
    assert histories[1][1:] == histories[0][1:]


DOWN = HeldOut(doubt="the model server cannot be reached", passing=True)


@pytest.mark.parametrize(
    ("answers", "day", "nats"),
    [
        ([DOWN, HeldOut(3.5, "texts", "")], 4, 3.5),
        ([DOWN, DOWN], 4, None),  # one window later, with or without the score
        ([HeldOut(doubt="the card of the version has no held-out text")], 3, None),
    ],
)
def test_the_baseline_waits_a_window_for_a_model_server_that_is_down(
    store: Registry, tmp_path: Path, answers: list[HeldOut], day: int, nats: float | None
) -> None:
    log = log_of(store, tmp_path, (1, 4.0), (2, 4.0), (3, 4.0))
    history, said = History(tmp_path / "drift"), list[str]()
    given = iter([NOT_SCORED, *answers])
    for now in (2, 3, 4)[: 1 + len(answers)]:
        assert store.baseline(1) is None
        Watcher(store, log, SETTINGS, history, Clock(now), lambda _: next(given), said.append).look()
    assert now == day and (store.baseline(1) or {})["heldout_nats"] == nats
    lines = [line.partition(": held-out text was not scored")[0].partition(": the baseline ")[2] for line in said]
    late, without = "is made one window later", "cannot show that the model itself changed"
    assert lines == [late] * (day == 4) + [without] * (nats is None)


def test_too_few_users_make_no_baseline_and_more_windows_do(store: Registry, tmp_path: Path) -> None:
    log = write_log(tmp_path / "requests", (person for day in (1, 2, 3, 4) for person in users(store, day, count=15)))
    history = History(tmp_path / "drift")
    Watcher(store, log, SETTINGS, history, Clock(3)).look()
    assert store.baseline(1) is None and {judged.action for judged in history.judged()} == {"cannot_tell"}
    Watcher(store, log, SETTINGS, history, Clock(4)).look()
    assert (store.baseline(1) or {})["everyone"]["users"] == 45


def test_windows_without_users_are_no_part_of_the_baseline(store: Registry, tmp_path: Path) -> None:
    log = log_of(store, tmp_path, (60, 4.0), (62, 4.0))  # two months after the promotion
    history = History(tmp_path / "drift")
    for day in (61, 63):
        Watcher(store, log, SETTINGS, history, Clock(day)).look()
    assert (store.baseline(1) or {})["everyone"]["users"] == 120 and history.judged()[-1].action == "no_drift"
    later = Period.at(datetime.fromtimestamp(at(70), UTC), SETTINGS.window_seconds)
    reference = collect_traffic(store, log, SETTINGS, later, later.end).reference  # the pipeline finds the same first windows
    assert [len(window.users) for window in reference] == [60, 60]
    assert [window.start for window in reference] == [judged.start for judged in history.judged() if judged.row["users"]]


def test_a_window_without_scores_is_no_part_of_the_baseline(store: Registry, tmp_path: Path) -> None:
    unscored = (sent._replace(nats=None) if number % 2 else sent for number, sent in enumerate(users(store, 1)))
    log = write_log(tmp_path / "requests", [*unscored, *users(store, 2), *users(store, 3)])
    Watcher(store, log, SETTINGS, History(tmp_path / "drift"), Clock(4)).look()
    assert (store.baseline(1) or {})["everyone"]["users"] == 120


def test_a_verdict_from_the_future_does_not_count(store: Registry, tmp_path: Path) -> None:
    log = log_of(store, tmp_path, (1, 4.0), (2, 4.0))
    clock, history = Clock(30), History(tmp_path / "drift")
    assert len(Watcher(store, log, SETTINGS, history, clock).look()) == 29  # the clock is four weeks ahead; the days are empty
    write_log(tmp_path / "requests", (person for day in (3, 4) for person in users(store, day, 4.6)))
    actions = []
    for clock.day in (2, 3, 4, 5):
        actions += [judged.action for judged in Watcher(store, log, SETTINGS, history, clock).look()]
    assert actions == ["no_drift", "no_drift", "rising", "drift"]


def test_a_lost_snapshot_is_an_error_with_a_remedy(store: Registry, tmp_path: Path) -> None:
    log = log_of(store, tmp_path, (1, 4.0), (2, 4.0), (3, 4.0))
    history = History(tmp_path / "drift")
    Watcher(store, log, SETTINGS, history, Clock(3)).look()
    for path in (tmp_path / "drift").rglob("*.parquet"):
        path.unlink()
    with pytest.raises(BadInput, match="not a snapshot of a window"):
        Watcher(store, log, SETTINGS, history, Clock(4)).look()
    for path in (tmp_path / "drift").rglob("*.json"):
        path.write_text("{}")
    with pytest.raises(BadInput, match="not a judged window.*; remove it, and the window is judged again"):
        history.judged()


def test_the_program_exports_the_newest_verdict_and_survives_errors(store: Registry, tmp_path: Path) -> None:
    history = History(tmp_path / "drift")
    log = log_of(store, tmp_path, (1, 4.0), (2, 4.0), (3, 4.6), (4, 4.6))
    for day in (3, 4, 5):
        Watcher(store, log, SETTINGS, history, Clock(day)).look()
    stopped, said = threading.Event(), []
    metrics = ""

    def say(line: str) -> None:
        nonlocal metrics
        said.append(line)
        if len(said) == 2:
            metrics = urllib.request.urlopen(said[0].split()[-1], timeout=5).read().decode()
            stopped.set()

    settings = MonitoringSettings(port=0, drift=SETTINGS)
    watch(store, tmp_path / "no log", tmp_path / "drift", settings, say, stopped, now=lambda: at(6))
    assert said[0].startswith("drift: ready, metrics at http://127.0.0.1:") and said[1].startswith("no window is judged: ")
    assert 'robo_poet_drift_verdict{action="drift",model="poems",version="1"} 1.0' in metrics
    assert 'cause="the world changed"' in metrics and 'robo_poet_drift_errors_total{model="poems"} 1.0' in metrics


def test_the_history_is_json_without_texts(store: Registry, tmp_path: Path) -> None:
    log = log_of(store, tmp_path, (1, 4.0))
    Watcher(store, log, SETTINGS, History(tmp_path / "drift"), Clock(2)).look()
    [path] = (tmp_path / "drift").rglob("*.json")
    assert json.loads(path.read_text())["row"]["users"] == 60 and "night" not in path.read_text()


def test_the_port_in_use_is_one_line(store: Registry, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = MonitoringSettings(port=taken.getsockname()[1], drift=SETTINGS)
        with pytest.raises(BadInput, match="the port of the metrics cannot be used.*set monitoring.port"):
            watch(store, tmp_path / "requests", tmp_path / "drift", settings, print, threading.Event())
