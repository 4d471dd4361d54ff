"""The metrics of the canary controller."""

import threading
from datetime import datetime
from pathlib import Path
from typing import cast

from prometheus_client import CollectorRegistry

from robo_poet.registry.log.entry import Corrupt
from serving.canary.__main__ import DECISION, LOOK, REFUSED, ControllerSeries, run
from serving.canary.controller import Controller
from tests.serving.canary.test_controller import SETTINGS, Place


def value(series: CollectorRegistry, name: str) -> float:
    found = series.get_sample_value(name, {"model": "poems"})
    assert found is not None
    return found


def test_looks_moves_and_errors_are_exported(tmp_path: Path) -> None:
    place, series, stopped = Place(tmp_path), ControllerSeries("poems"), threading.Event()
    names = tuple(f"robo_poet_canary_{name}" for name in (LOOK, DECISION, "errors_total"))
    assert [value(series.registry, name) for name in names] == [0, 0, 0]
    controller = place.controller()

    class Failing:
        def act(self) -> tuple[str, None]:
            stopped.set()
            raise Corrupt("the log was changed")

    class Moving:
        def act(self) -> object:
            stopped.set()
            return controller.act()

    for part, refused in ((Failing(), 1), (Moving(), 0)):
        stopped.clear()
        run(cast(Controller, part), SETTINGS, place.registry, tmp_path / "logs", stopped, series)
        assert value(series.registry, f"robo_poet_canary_{REFUSED}") == refused
    newest = place.registry.log()[-1].statement
    looked, decided, errors = (value(series.registry, name) for name in names)
    assert newest.who == "canary controller" and decided == datetime.fromisoformat(newest.time).timestamp()
    assert looked > 1.7e9 and errors == 1
