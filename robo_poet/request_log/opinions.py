"""Feedback, folded: of each completion its readers' last words."""

from datetime import datetime

import pyarrow as pa

from robo_poet.request_log.schema import JOINED

Last = dict[str, dict[str, tuple[datetime, int | str]]]  # completion → user → when, what


class Opinions:
    """The last rating and the last thumb of each user count; a thumb does not take a rating back."""

    def __init__(self) -> None:
        self._ratings: Last = {}
        self._thumbs: Last = {}

    def add(self, feedback: pa.Table) -> None:
        """Rows of `schema.FEEDBACK`, in any order."""
        for row in feedback.to_pylist():
            for last, what in ((self._ratings, row["rating"]), (self._thumbs, row["thumb"])):
                if what is not None:
                    users = last.setdefault(row["completion_id"], {})
                    if row["user"] not in users or users[row["user"]][0] <= row["time"]:
                        users[row["user"]] = row["time"], what

    def join(self, requests: pa.Table) -> pa.Table:
        """`requests` with the columns `rating` (mean of users), `thumbs_up`, `thumbs_down`."""
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
