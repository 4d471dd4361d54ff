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
            for opinions, value in ((self._ratings, row["rating"]), (self._thumbs, row["thumb"])):
                if value is not None:
                    users = opinions.setdefault(row["completion_id"], {})
                    if row["user"] not in users or users[row["user"]][0] <= row["time"]:
                        users[row["user"]] = row["time"], value

    def join(self, requests: pa.Table) -> pa.Table:
        """Return `requests` with the columns `rating` (mean over users), `thumbs_up` and `thumbs_down`, schema `JOINED`."""
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
