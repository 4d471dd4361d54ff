"""Filters for metric label values. They map any input to a known value or to a bounded number of values."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable

OTHER = "other"
WORD_PATTERN = re.compile(r"[a-z][a-z0-9_.-]{0,39}")


class FixedLabels:
    """A fixed set of label values. Any other value becomes `other`."""

    def __init__(self, *values: str) -> None:
        self._values = frozenset(values)

    def __call__(self, value: str) -> str:
        return value if value in self._values else OTHER


class WordLabels:
    """The first `limit` distinct words. Later words, and values that do not match `WORD_PATTERN`, become `other`.

    Used for names that only an operator chooses, such as filter rules.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._seen, self._lock = limit, set[str](), threading.Lock()

    def __call__(self, value: str) -> str:
        if value in self._seen:
            return value
        with self._lock:
            if len(self._seen) < self._limit and WORD_PATTERN.fullmatch(value):
                self._seen.add(value)
            return value if value in self._seen else OTHER


class VersionLabels:
    """The `limit` most recently used versions. If there is one more, the least recently used version is evicted.

    Args:
        forget: called with the label of the evicted version, to drop its series.
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
