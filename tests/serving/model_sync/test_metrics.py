"""The metrics of `model_sync`."""

import math
import re
import urllib.request
from pathlib import Path

from serving.model_sync.__main__ import GAUGES, SyncSeries
from serving.model_sync.sync import Look
from tests.serving.model_sync.released import small_registry
from tests.serving.model_sync.test_main import Running, arguments


def values(series: SyncSeries) -> list[float | None]:
    return [series.registry.get_sample_value(f"robo_poet_model_sync_{name}", {"model": "poems"}) for name in GAUGES]


def test_a_look_sets_all_gauges() -> None:
    series = SyncSeries("poems")
    assert values(series) == [0.0] * len(GAUGES)
    series.looked(Look(True, ("the canary is left out",), 2, 1), 1.8e9)
    assert values(series) == [1.8e9, 2.0, 1.0, 1.0, 1.0, 0.0]
    series.looked(Look(False, (), 0, None), 1.8e9)
    assert math.isnan(values(series)[2] or 0.0)


def test_the_program_exports_them(tmp_path: Path) -> None:
    running = Running(*arguments(small_registry(tmp_path, 1), tmp_path / "models", "--poll-seconds=0.05", "--metrics-port=0"))
    try:
        address = re.search(r"http://\S+", running.ready)
        assert address is not None
        text = urllib.request.urlopen(address[0], timeout=5).read().decode()
        assert 'robo_poet_model_sync_versions{model="poems"} 1.0' in text and 'robo_poet_model_sync_ready{model="poems"} 1.0' in text
    finally:
        assert running.stop()[0] == 0
