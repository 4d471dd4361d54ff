"""Removal of records after their retention period (DATA-4)."""

import shutil
from datetime import date, timedelta
from pathlib import Path

from robo_poet.request_log.layout import KINDS, days


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
