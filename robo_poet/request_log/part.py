"""Atomic conversion of spools into Parquet parts."""

from pathlib import Path

import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.request_log.layout import KINDS, Kind, Unit, days, units
from robo_poet.request_log.schema import fitting
from robo_poet.request_log.spool import dead, read_spool


def make_part(unit: Unit, kind: Kind) -> None:
    """Convert a unit's spool into its part. The caller must hold the lock of the spool.

    If the process is killed in between, the next call completes the conversion. No row is ever read twice.

    Raises:
        OSError: the disk is full or unavailable. The spool stays and remains readable.
    """
    if not unit.part.exists() and (rows := read_spool(unit.spool)):
        with new_file(unit.part, durable=True) as temporary:
            pq.write_table(fitting(rows, kind.schema), temporary, compression="zstd")
    unit.spool.unlink(missing_ok=True)


def recover(folder: Path) -> int:
    """Convert the spools of dead writers into parts; return how many. Spools of running writers are not touched."""
    count = 0
    for kind in KINDS.values():
        for _, day in days(folder, kind):
            for unit in units(day):
                with dead(unit.spool) as is_dead:
                    if is_dead:
                        make_part(unit, kind)
                        count += 1
    return count
