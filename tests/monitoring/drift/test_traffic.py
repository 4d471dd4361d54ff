"""The traffic of a window as a folder, and the window that a time names."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitoring.drift.traffic import INDEX, Traffic, named_period, read_traffic, write_traffic
from robo_poet.digest import digest_file, digest_path
from robo_poet.errors import BadInput
from robo_poet.judges.drift.baseline import make_baseline
from robo_poet.judges.drift.observations import UserScore, Window

DAY = 86_400.0
NOW = datetime(2026, 3, 11, 0, 20, tzinfo=UTC)


def window(day: int) -> Window:
    dice = random.Random(day)
    users = [UserScore(dice.gauss(4, 0.3), 2, 8.0, 0.0, {"language": "en"}) for _ in range(5)]
    return Window(day * DAY, (day + 1) * DAY, users)


def traffic() -> Traffic:
    windows = [window(day) for day in range(4)]
    return Traffic("poems", 1, "d" * 64, 3 * DAY, 4 * DAY, "", make_baseline(windows[:2]), windows[2:], windows[:3])


def test_traffic_comes_back_equal_and_the_same_traffic_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_traffic(tmp_path / name, traffic())
    found, snapshot = read_traffic(tmp_path / "a")
    assert found == traffic() and digest_path(tmp_path / "a") == digest_path(tmp_path / "b")
    assert snapshot == digest_file(tmp_path / "a" / "0000259200.000.parquet")
    assert len(list((tmp_path / "a").glob("*.parquet"))) == 4  # the window of both sides is written once


def test_traffic_without_a_window_keeps_its_reason(tmp_path: Path) -> None:
    write_traffic(tmp_path, Traffic("poems", 0, "", 0.0, DAY, "the model has no champion"))
    found, snapshot = read_traffic(tmp_path)
    assert (found.doubt, found.windows, snapshot) == ("the model has no champion", [], "")


def test_a_changed_or_foreign_folder_is_refused(tmp_path: Path) -> None:
    write_traffic(tmp_path, traffic())
    index = json.loads((tmp_path / INDEX).read_text())
    (tmp_path / "0000172800.000.parquet").write_bytes((tmp_path / "0000000000.000.parquet").read_bytes())
    with pytest.raises(BadInput, match="the snapshot was changed"):
        read_traffic(tmp_path)
    for text in ("[]", "{", json.dumps(index | {"form": 2}), json.dumps({"form": 1}), json.dumps(index | {"windows": []})):
        (tmp_path / INDEX).write_text(text)
        with pytest.raises(BadInput, match="not the traffic of a window"):
            read_traffic(tmp_path)


def test_a_time_names_the_complete_window_that_contains_it() -> None:
    assert str(named_period("", DAY, NOW)) == "2026-03-10"
    for text in ("2026-03-09", "2026-03-09 13:00", "2026-03-10T01:00:00+02:00"):
        assert str(named_period(text, DAY, NOW)) == "2026-03-09"
    with pytest.raises(BadInput, match="window 2026-03-11: the window is not complete; the newest complete window is 2026-03-10"):
        named_period("2026-03-11", DAY, NOW)
    for text in ("yesterday", "2026-13-01", "9999-12-31"):
        with pytest.raises(BadInput):
            named_period(text, DAY, NOW)
