"""Who is there and how long they stay (MON-1). Pure: time comes in, nothing is asked of a clock."""

from collections import OrderedDict
from collections.abc import Iterator

DAY = 86_400.0


class Sessions:
    """Users seen within a day, and their sessions; a silence of more than `gap` seconds ends one.

    Memory is bounded by `limit` users: one more, and whoever was silent longest is forgotten, their session ended.
    Time that runs backwards stands still.
    """

    def __init__(self, gap: float, limit: int) -> None:
        self._gap, self._limit = gap, limit
        self._now = float("-inf")
        self._last: OrderedDict[str, float] = OrderedDict()  # user → seen last, oldest first
        self._open: OrderedDict[str, tuple[float, float]] = OrderedDict()  # user → (began, seen last), oldest first

    def __len__(self) -> int:
        """Users remembered."""
        return len(self._last)

    def seen(self, user: str, now: float) -> list[float]:
        """`user` did something at `now` (seconds). Returns the lengths in seconds of the sessions that have ended since the last call."""
        ended = self.ended(now)
        began, _ = self._open.pop(user, (self._now, self._now))
        self._open[user] = began, self._now
        self._last.pop(user, None)
        self._last[user] = self._now
        if len(self._last) > self._limit:
            forgotten, _ = self._last.popitem(last=False)
            if forgotten in self._open:
                ended.append(_length(self._open.pop(forgotten)))
        return ended

    def ended(self, now: float) -> list[float]:
        """Lengths in seconds of the sessions that have ended since the last call."""
        self._now = max(self._now, now)
        return list(self._expire())

    def active(self, window: float, now: float) -> int:
        """Distinct users within the last `window` seconds, at most a day."""
        self._now = max(self._now, now)
        count = 0
        for last in reversed(self._last.values()):
            if last <= self._now - min(window, DAY):
                break
            count += 1
        return count

    def _expire(self) -> Iterator[float]:
        while self._open and next(iter(self._open.values()))[1] < self._now - self._gap:
            yield _length(self._open.popitem(last=False)[1])
        while self._last and next(iter(self._last.values())) <= self._now - max(DAY, self._gap):
            self._last.popitem(last=False)


def _length(session: tuple[float, float]) -> float:
    return session[1] - session[0]
