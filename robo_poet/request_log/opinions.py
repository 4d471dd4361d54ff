"""Aggregation of feedback: the last rating and the last thumb of each user for each completion."""

from datetime import datetime

import pyarrow as pa

from robo_poet.request_log.schema import JOINED

Last = dict[str, dict[str, tuple[datetime, int | str]]]  # completion → user → (time, value)


class Opinions:
    """An aggregator of feedback that keeps the last rating and the last thumb of each user. A thumb does not replace a rating."""

    def __init__(self) -> None:
        self._ratings: Last = {}
        self._thumbs: Last = {}

    def add(self, feedback: pa.Table) -> None:
        """Add rows with the schema `FEEDBACK`, in any order."""
        for row in feedback.to_pylist():
            for last, what in ((self._ratings, row["rating"]), (self._thumbs, row["thumb"])):
                if what is not None:
                    users = last.setdefault(row["completion_id"], {})
                    if row["user"] not in users or users[row["user"]][0] <= row["time"]:
                        users[row["user"]] = row["time"], what

    def join(self, requests: pa.Table) -> pa.Table:
        """Return `requests` with the columns `rating` (mean over users), `thumbs_up` and `thumbs_down`, schema `JOINED`."""
        ids = requests["completion_id"].to_pylist()
        ratings = [[float(what) for _, what in self._ratings.get(one, {}).values()] for one in ids]
        thumbs = [[what for _, what in self._thumbs.get(one, {}).values()] for one in ids]
        joined = [
            [sum(each) / len(each) if each else None for each in ratings],
            [each.count("up") for each in thumbs],
            [each.count("down") for each in thumbs],
        ]
        added = [pa.array(values, JOINED.field(len(requests.schema) + k).type) for k, values in enumerate(joined)]
        return pa.table([*requests.columns, *added], schema=JOINED)
