from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from robo_poet.errors import BadInput
from robo_poet.request_log.layout import (
    CONVERSION_ERRORS,
    FEEDBACK,
    FEEDBACK_FOLDER,
    KINDS,
    REQUESTS,
    Unit,
    check_log,
    conform,
    day_folder,
    days,
    fits,
    table,
    table_of_fitting_rows,
    units,
)  # fmt: skip
from robo_poet.request_log.record import Request

FEEDBACK_ROW = {"completion_id": "c", "time": 0.5, "user": "u", "rating": 5, "thumb": None}


def test_a_row_becomes_a_table_with_utc_time_and_null_for_missing_fields(request_of: Callable[..., Request]) -> None:
    row = {**asdict(request_of(0)), "time": 86_400.5}
    [converted] = table([row], REQUESTS).to_pylist()
    assert converted["time"].isoformat() == "1970-01-02T00:00:00.500000+00:00"
    assert dict(converted["parameters"]) == {"temperature": 0.8}
    assert converted["prompt_perplexity"] is None


@pytest.mark.parametrize("change", [{"rating": "five"}, {"rating": 1000}, {"time": float("inf")}, {"time": 1e20}, {"user": 7}])
def test_a_value_that_does_not_fit_its_column_is_an_error(change: dict[str, Any]) -> None:
    row = {**FEEDBACK_ROW, **change}
    assert not fits(row, FEEDBACK)
    with pytest.raises(CONVERSION_ERRORS):
        table([row], FEEDBACK)


def test_rows_that_do_not_fit_are_skipped() -> None:
    rows = [FEEDBACK_ROW, {**FEEDBACK_ROW, "rating": "five"}, {**FEEDBACK_ROW, "completion_id": "d"}]
    assert table_of_fitting_rows(rows, FEEDBACK)["completion_id"].to_pylist() == ["c", "d"]


def test_conform_adds_missing_columns_as_null_and_drops_unknown_ones() -> None:
    part = pa.table({"extra": [1], "user": ["u"], "rating": pa.array([4], pa.int64())})
    conformed = conform(part, FEEDBACK)
    assert conformed.schema == FEEDBACK
    assert conformed.to_pylist() == [{"completion_id": None, "time": None, "user": "u", "rating": 4, "thumb": None}]


def test_a_day_folder_is_the_utc_day(tmp_path: Path) -> None:
    assert day_folder(tmp_path, KINDS["request"], 86_399.9) == tmp_path / "date=1970-01-01"
    assert day_folder(tmp_path, KINDS["feedback"], 86_400) == tmp_path / FEEDBACK_FOLDER / "date=1970-01-02"


def test_days_are_sorted_and_other_folders_ignored(tmp_path: Path) -> None:
    for name in ("date=2026-03-02", "date=2026-03-01", "date=today", FEEDBACK_FOLDER):
        (tmp_path / name).mkdir()
    assert [day for day, _ in days(tmp_path, KINDS["request"])] == [date(2026, 3, 1), date(2026, 3, 2)]


def test_a_spool_and_its_part_are_one_unit(tmp_path: Path) -> None:
    for name in ("part-ab-1.parquet", "_spool-ab-1.jsonl", "_spool-cd-2.jsonl", "notes.txt"):
        (tmp_path / name).touch()
    assert units(tmp_path) == [Unit(tmp_path, "ab-1"), Unit(tmp_path, "cd-2")]
    assert units(tmp_path / "missing") == []


def test_an_empty_folder_is_an_empty_log(tmp_path: Path) -> None:
    check_log(tmp_path)


def test_a_missing_folder_is_not_a_log(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        check_log(tmp_path / "missing")
