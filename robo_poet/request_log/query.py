"""Reading the log: requests of a period, joined with the last rating and the last thumb of each user (MON-3)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from robo_poet.errors import BadInput
from robo_poet.request_log.layout import JOINED, KINDS, Kind, Unit, check_log, conform, days, table_of_fitting_rows, units
from robo_poet.request_log.spool import read_spool

Last = dict[str, dict[str, tuple[datetime, int | str]]]  # completion → user → (time, value)


class LatestFeedback:
    """An aggregator of feedback that keeps the last rating and the last thumb of each user. A thumb does not replace a rating."""

    def __init__(self) -> None:
        self._ratings: Last = {}
        self._thumbs: Last = {}

    def add(self, feedback: pa.Table) -> None:
        """Add rows with the schema `FEEDBACK`, in any order."""
        for row in feedback.to_pylist():
            for opinions, value in ((self._ratings, row["rating"]), (self._thumbs, row["thumb"])):
                if value is not None:
                    users = opinions.setdefault(row["completion_id"], {})
                    if row["user"] not in users or users[row["user"]][0] <= row["time"]:
                        users[row["user"]] = row["time"], value

    def join(self, requests: pa.Table) -> pa.Table:
        """Add the columns `rating` (mean over users), `thumbs_up` and `thumbs_down` to `requests`. The result has the schema `JOINED`."""
        ids = requests["completion_id"].to_pylist()
        ratings = [[float(value) for _, value in self._ratings.get(id_, {}).values()] for id_ in ids]
        thumbs = [[value for _, value in self._thumbs.get(id_, {}).values()] for id_ in ids]
        joined = [
            [sum(opinions) / len(opinions) if opinions else None for opinions in ratings],
            [opinions.count("up") for opinions in thumbs],
            [opinions.count("down") for opinions in thumbs],
        ]
        added = [pa.array(values, JOINED.field(len(requests.schema) + k).type) for k, values in enumerate(joined)]
        return pa.table([*requests.columns, *added], schema=JOINED)


BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def read(folder: Path, since: datetime = BEGINNING, until: datetime = END) -> pa.Table:
    """Return the requests with `since` <= time < `until`, with the schema `JOINED` and in no particular order.

    Parts and spools are read. The result is also correct while writers run: each record appears once, even if it is a second old.

    Raises:
        BadInput: the folder is not a request log, a time has no time zone, or a part cannot be read (the message names it).
    """
    parts = list(read_parts(folder, since, until))
    return pa.concat_tables(parts) if parts else JOINED.empty_table()


def read_parts(folder: Path, since: datetime = BEGINNING, until: datetime = END) -> Iterator[pa.Table]:
    """Yield the requests that `read` returns, one table per part. The memory contains one part and the feedback since `since`.

    Raises the same errors as `read`.
    """
    _check(folder, since, until)
    opinions = LatestFeedback()
    for part in _tables(folder, KINDS["feedback"], since, END):
        opinions.add(part)
    for part in _tables(folder, KINDS["request"], since, until):
        yield opinions.join(part)


def read_columns(folder: Path, columns: Sequence[str], since: datetime = BEGINNING, until: datetime = END) -> Iterator[pa.Table]:
    """Yield the requests with `since` <= time < `until`, only these columns, one table per part, day by day (UTC).

    Other columns and the feedback are not read, so this takes a fraction of the time of `read_parts`.

    Args:
        columns: names in the schema `REQUESTS`.

    Raises the same errors as `read`.
    """
    _check(folder, since, until)
    for part in _tables(folder, KINDS["request"], since, until, tuple(columns)):
        yield part.select(list(columns))


def _check(folder: Path, since: datetime, until: datetime) -> None:
    for name, moment in (("since", since), ("until", until)):
        if moment.tzinfo is None:
            raise BadInput("the time has no time zone", where=name, remedy="add one, such as UTC")
    check_log(folder)


def _tables(folder: Path, kind: Kind, since: datetime, until: datetime, columns: Sequence[str] = ()) -> Iterator[pa.Table]:
    first, last = (
        since.astimezone(UTC).date() if since > BEGINNING else since.date(),
        until.date() + timedelta(days=1) if until < END else END.date(),
    )
    for day, path in days(folder, kind):
        if first <= day <= last:
            for unit in units(path):
                part = _unit(unit, kind, columns)
                in_period = pc.and_(pc.greater_equal(part["time"], since), pc.less(part["time"], until))
                if (part := part.filter(in_period)).num_rows:
                    yield part


def _unit(unit: Unit, kind: Kind, columns: Sequence[str] = ()) -> pa.Table:
    """Return the rows of a unit. The part and the spool are tried twice, because a writer may convert the spool between the reads.

    Args:
        columns: of a part, only these and `time` are read; empty: all. A spool is read completely: a row that does not fit is left out.
    """
    schema = pa.schema([field for field in kind.schema if not columns or field.name in (*columns, "time")])
    for _ in range(2):
        try:
            return conform(pq.ParquetFile(unit.part).read(columns=schema.names if columns else None), schema)
        except FileNotFoundError:
            pass
        except (pa.ArrowException, OSError) as error:
            raise BadInput(
                f"cannot be read: {error}", where=str(unit.part), remedy="restore the file, or remove it to continue without it"
            ) from None
        try:
            return table_of_fitting_rows(read_spool(unit.spool), kind.schema)
        except FileNotFoundError:
            continue
    return kind.schema.empty_table()  # removed in the meantime, because its retention period is over
