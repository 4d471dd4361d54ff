"""Label values of metrics, kept few: whatever strings come in, only known words or a bounded number of them go out."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable

OTHER = "other"
WORD = re.compile(r"[a-z][a-z0-9_.-]{0,39}")


class Known:
    """A closed set: anything else is `other`."""

    def __init__(self, *values: str) -> None:
        self._values = frozenset(values)

    def __call__(self, value: str) -> str:
        return value if value in self._values else OTHER


class Words:
    """The first `limit` words that come, for names which only an operator gives (rules of a filter). What is no plain word is `other`."""

    def __init__(self, limit: int) -> None:
        self._limit, self._seen, self._lock = limit, set[str](), threading.Lock()

    def __call__(self, value: str) -> str:
        if value in self._seen:
            return value
        with self._lock:
            if len(self._seen) < self._limit and WORD.fullmatch(value):
                self._seen.add(value)
            return value if value in self._seen else OTHER


class Versions:
    """The `limit` versions used last. When one more comes, the longest unused is given to `forget`, which drops its series.

    Args:
        forget: called with the label of a version that has no place any more.
    """

    def __init__(self, limit: int, forget: Callable[[str], None]) -> None:
        self._limit, self._forget = limit, forget
        self._seen: OrderedDict[int, str] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, version: int) -> str:
        with self._lock:
            if version not in self._seen:
                if len(self._seen) >= self._limit:
                    self._forget(self._seen.popitem(last=False)[1])
                self._seen[version] = str(version)
            self._seen.move_to_end(version)
            return self._seen[version]
