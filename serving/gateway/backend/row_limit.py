"""The limit on the rows at the model server, and the order of the calls that wait for it."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

ACTIVE_SECONDS = 10.0  # a user is active for this time after a call


class RowLimit:
    """A limit on the rows that are at the model server, shared fairly between the users.

    - Users take turns; the calls of one user are served in the order of arrival.
    - A user that holds its share gets no further rows while others are active. The share is the limit divided by the number of active
      users. A single active user can have all rows.

    Without this, a user with many long requests makes all others wait behind them: with 200 unread streams of one user, the P95 of ten
    others rose from 60 to 1,400 ms.

    Args:
        rows: maximum number of rows. A call with more rows counts as this many.

    Attributes:
        waiting: calls that wait for free rows.
    """

    def __init__(self, rows: int) -> None:
        self._rows = self._free = rows
        self._queues: OrderedDict[str, deque[tuple[int, asyncio.Future[None]]]] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._active: OrderedDict[str, float] = OrderedDict()  # time of the last call, oldest first
        self.waiting = 0

    @asynccontextmanager
    async def held(self, rows: int, user: str = "") -> AsyncGenerator[None]:
        """Occupy `rows` rows until the block ends. Waits for them; a cancelled wait occupies none.

        Args:
            user: any name; equal names share one turn.
        """
        rows = min(rows, self._rows)
        await self._acquire(rows, user)
        try:
            yield
        finally:
            self._release(rows, user)

    async def _acquire(self, rows: int, user: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(user, deque()).append((rows, turn))
        self.waiting += 1
        self._note(user)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():  # `_serve` drops it
                self.waiting -= 1
                self._serve()
            else:  # the rows were assigned just before the cancellation
                self._release(rows, user)
            raise

    def _release(self, rows: int, user: str) -> None:
        self._free += rows
        self._held[user] -= rows
        if not self._held[user]:
            del self._held[user]
        self._note(user)
        self._serve()

    def _note(self, user: str) -> None:
        """Record a call of the user, and forget the users that are no longer active."""
        now = asyncio.get_running_loop().time()
        self._active[user] = now
        self._active.move_to_end(user)
        while next(iter(self._active.values())) < now - ACTIVE_SECONDS:
            self._active.popitem(last=False)

    def _serve(self) -> None:
        """Assign free rows to waiting calls."""
        while (user := self._next()) is not None:
            rows, turn = self._queues[user].popleft()
            self._free -= rows
            self._held[user] += rows
            self.waiting -= 1
            turn.set_result(None)
            self._queues.move_to_end(user)  # the other users are served first

    def _next(self) -> str | None:
        """Return the user whose call is served now, or None.

        A call within its user's share is never overtaken, so that a call with many rows is served too.
        """
        share = self._rows // max(1, len(self._active))
        for user, queue in list(self._queues.items()):
            while queue and queue[0][1].cancelled():
                queue.popleft()
            if not queue:
                del self._queues[user]
                continue
            rows, held = queue[0][0], self._held[user]
            if held and held + rows > share and len(self._active) > 1:
                continue  # the end of one of its own calls serves it
            return user if rows <= self._free else None
        return None
