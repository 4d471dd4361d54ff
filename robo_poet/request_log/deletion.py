"""Deletion of records, by user and by age (DATA-4)."""

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

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
    check_log(folder)
    recover(folder)
    removed, pending = {"request": 0, "feedback": 0}, 0
    for name, kind in KINDS.items():
        for _, day in days(folder, kind):
            for unit in units(day):
                if unit.part.exists():
                    removed[name] += _remove_user(unit.part, user)
                elif unit.spool.exists():
                    pending += any(row.get("user") == user for row in read_spool(unit.spool))
    return RemovedRecords(removed["request"], removed["feedback"], pending)


def _remove_user(part: Path, user: str) -> int:
    rows = pq.ParquetFile(part).read()
    kept = rows.filter(pc.fill_null(pc.not_equal(rows["user"], user), True))
    if kept.num_rows < rows.num_rows:
        with new_file(part, durable=True) as temporary:
            pq.write_table(kept, temporary, compression="zstd")
    return int(rows.num_rows - kept.num_rows)


def remove_old(folder: Path, today: date, keep_days: int) -> list[date]:
    """Remove the days that are more than `keep_days` before `today`; return the removed days of requests."""
    removed = []
    for name, kind in KINDS.items():
        for day, path in days(folder, kind):
            if day < today - timedelta(days=keep_days):
                shutil.rmtree(path, ignore_errors=True)
                if name == "request":
                    removed.append(day)
    return removed
