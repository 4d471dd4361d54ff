"""The limit on the rows at the model server, and the order of the calls that wait for it."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class RowLimit:
    """A limit on the rows that are at the model server. Users take turns; the calls of one user are served in the order of arrival.

    Without turns, a user with many long requests makes all others wait behind them.

    Args:
        rows: maximum number of rows. A call with more rows counts as this many.

    Attributes:
        waiting: calls that wait for free rows.
    """

    def __init__(self, rows: int) -> None:
        self._rows = self._free = rows
        self._queues: OrderedDict[str, deque[tuple[int, asyncio.Future[None]]]] = OrderedDict()
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
            self._free += rows
            self._serve()

    async def _acquire(self, rows: int, user: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(user, deque()).append((rows, turn))
        self.waiting += 1
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():  # `_serve` drops it
                self.waiting -= 1
            else:  # the rows were assigned just before the cancellation
                self._free += rows
            self._serve()
            raise

    def _serve(self) -> None:
        """Assign free rows. The next call is never overtaken, so that a call with many rows is served too."""
        while self._queues:
            user, queue = next(iter(self._queues.items()))
            rows, turn = queue[0]
            if not turn.cancelled():
                if rows > self._free:
                    return
                self._free -= rows
                self.waiting -= 1
                turn.set_result(None)
                self._queues.move_to_end(user)  # the other users are served first
            queue.popleft()
            if not queue:
                del self._queues[user]
