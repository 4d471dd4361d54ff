"""Reading the log: requests of a time, each with its readers' feedback (MON-3)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from robo_poet.errors import BadInput
from robo_poet.request_log.layout import KINDS, Kind, Unit, check_log, days, units
from robo_poet.request_log.opinions import Opinions
from robo_poet.request_log.schema import JOINED, conform, fitting
from robo_poet.request_log.spool import read_spool

BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def read(folder: Path, since: datetime = BEGINNING, until: datetime = END) -> pa.Table:
    """Requests from `since` until before `until`, columns of `JOINED`, in no order: what is in Parquet and what is still in spools.

    Safe beside writers: each record is there once, and what was put a second ago is there.

    Raises:
        BadInput: the folder is no log, a time has no zone, or a part cannot be read; names it.
    """
    parts = list(read_parts(folder, since, until))
    return pa.concat_tables(parts) if parts else JOINED.empty_table()


def read_parts(folder: Path, since: datetime = BEGINNING, until: datetime = END) -> Iterator[pa.Table]:
    """The same, a table a part: memory holds one part at a time, and the feedback since `since`."""
    for name, moment in (("since", since), ("until", until)):
        if moment.tzinfo is None:
            raise BadInput("a time without its zone", where=name, remedy="say which, such as UTC")
    check_log(folder)
    opinions = Opinions()
    for part in _tables(folder, KINDS["feedback"], since, END):
        opinions.add(part)
    for part in _tables(folder, KINDS["request"], since, until):
        yield opinions.join(part)


def _tables(folder: Path, kind: Kind, since: datetime, until: datetime) -> Iterator[pa.Table]:
    first, last = (
        since.astimezone(UTC).date() if since > BEGINNING else since.date(),
        until.date() + timedelta(days=1) if until < END else END.date(),
    )
    for day, path in days(folder, kind):
        if first <= day <= last:
            for unit in units(path):
                part = _unit(unit, kind)
                chosen = pc.and_(pc.greater_equal(part["time"], since), pc.less(part["time"], until))
                if (part := part.filter(chosen)).num_rows:
                    yield part


def _unit(unit: Unit, kind: Kind) -> pa.Table:
    """A unit's rows, wherever they are now: its spool may become a part between two of our calls."""
    for _ in range(2):
        try:
            return conform(pq.ParquetFile(unit.part).read(), kind.schema)
        except FileNotFoundError:
            pass
        except (pa.ArrowException, OSError) as error:
            raise BadInput(f"cannot be read: {error}", where=str(unit.part), remedy="restore it, or remove it to go on without") from None
        try:
            return fitting(read_spool(unit.spool), kind.schema)
        except FileNotFoundError:
            continue
    return kind.schema.empty_table()  # removed meanwhile: its time was over
