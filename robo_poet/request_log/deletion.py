"""Deletion of records, by user, by text and by age (DATA-4)."""

import shutil
from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.request_log.layout import KINDS, check_log, days, units
from robo_poet.request_log.spool import read_spool, recover


class RemovedRecords(NamedTuple):
    """Result of `forget`.

    Attributes:
        requests: number of removed requests.
        feedback: number of removed feedback records.
        pending: number of spools of running writers that contain records of the user. They become parts within some
            minutes, or when the writer ends. Call `forget` again then.
    """

    requests: int
    feedback: int
    pending: int


def forget(folder: Path, user: str) -> RemovedRecords:
    """Remove all records of the pseudonym `user` from the parts. Each part is rewritten atomically. It is safe to repeat.

    Raises:
        BadInput: the folder is not a request log.
        OSError: a part cannot be written.
    """
    return _remove(folder, "user", {user})


def forget_completions(folder: Path, completions: Collection[str]) -> RemovedRecords:
    """Remove the requests with these completion ids, and their feedback. It is safe to repeat. Errors as in `forget`."""
    return _remove(folder, "completion_id", set(completions))


def completions_that_match(folder: Path, match: Callable[[str], bool]) -> list[str]:
    """Return the ids of the completions whose prompt or text matches, sorted. Parts and spools are read.

    Raises:
        BadInput: the folder is not a request log.
    """
    check_log(folder)
    ids = set[str]()
    for _, day in days(folder, KINDS["request"]):
        for unit in units(day):
            for row in _rows(unit.part, unit.spool):
                texts = [row.get("prompt"), *(row.get("completions") or ())]
                if row.get("completion_id") and any(text and match(text) for text in texts):
                    ids.add(row["completion_id"])
    return sorted(ids)


def count_of_user(folder: Path, user: str) -> int:
    """Return the number of requests of a pseudonym."""
    check_log(folder)
    rows = (row for _, day in days(folder, KINDS["request"]) for unit in units(day) for row in _rows(unit.part, unit.spool))
    return sum(row.get("user") == user for row in rows)


def _rows(part: Path, spool: Path) -> Iterator[dict[str, Any]]:
    try:
        for batch in pq.ParquetFile(part).iter_batches(columns=["completion_id", "user", "prompt", "completions"]):
            yield from batch.to_pylist()
    except FileNotFoundError:
        if spool.exists():
            yield from read_spool(spool)


def _remove(folder: Path, column: str, values: set[str]) -> RemovedRecords:
    check_log(folder)
    recover(folder)
    removed, pending = {"request": 0, "feedback": 0}, 0
    for name, kind in KINDS.items():
        for _, day in days(folder, kind):
            for unit in units(day):
                if unit.part.exists():
                    removed[name] += _remove_rows(unit.part, column, values)
                elif unit.spool.exists():
                    pending += any(row.get(column) in values for row in read_spool(unit.spool))
    return RemovedRecords(removed["request"], removed["feedback"], pending)


def _remove_rows(part: Path, column: str, values: set[str]) -> int:
    rows = pq.ParquetFile(part).read()
    kept = rows.filter(pc.invert(pc.fill_null(pc.is_in(rows[column], pa.array(sorted(values), pa.string())), False)))
    if kept.num_rows < rows.num_rows:
        with new_file(part, durable=True) as temporary:
            pq.write_table(kept, temporary, compression="zstd")
    return int(rows.num_rows - kept.num_rows)


def remove_old(folder: Path, today: date, keep_days: int) -> list[date]:
    """Remove the days that are more than `keep_days` before `today`; return the removed days of requests."""
    removed = []
    for path in old_days(folder, today, keep_days):
        shutil.rmtree(path, ignore_errors=True)
        if path.parent == folder:
            removed.append(date.fromisoformat(path.name.removeprefix("date=")))
    return removed


def old_days(folder: Path, today: date, keep_days: int) -> list[Path]:
    """Return the folders of the days that are more than `keep_days` before `today`: of requests, then of feedback."""
    first = today - timedelta(days=keep_days)
    return [path for kind in KINDS.values() for day, path in days(folder, kind) if day < first]
