"""Parquet parts: a spool becomes one, atomically."""

from pathlib import Path

import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.request_log.layout import KINDS, Kind, Unit, days, units
from robo_poet.request_log.schema import fitting
from robo_poet.request_log.spool import dead, read_spool


def make_part(unit: Unit, kind: Kind) -> None:
    """Turn a unit's spool into its part. Killed anywhere in between, the next call ends what this one began, and no row is there twice.

    The caller holds the spool's lock.

    Raises:
        OSError: the disk is full or gone; the spool stays, and stays readable.
    """
    if not unit.part.exists() and (rows := read_spool(unit.spool)):
        with new_file(unit.part, durable=True) as beside:
            pq.write_table(fitting(rows, kind.schema), beside, compression="zstd")
    unit.spool.unlink(missing_ok=True)


def recover(folder: Path) -> int:
    """Turn the spools of dead writers into parts; returns how many. Spools of living writers are left alone."""
    count = 0
    for kind in KINDS.values():
        for _, day in days(folder, kind):
            for unit in units(day):
                with dead(unit.spool) as is_dead:
                    if is_dead:
                        make_part(unit, kind)
                        count += 1
    return count
