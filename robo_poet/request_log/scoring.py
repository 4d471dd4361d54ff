"""Perplexity of prompts, asked of the model server beside the answers and never in their way."""

import queue
import threading
import time
from collections.abc import Callable

from robo_poet.request_log.record import Request, Score

WAITING = 8  # prompts; more means that the model server has better things to do


class Scoring:
    """Calls `score` in a thread of its own, one prompt at a time, at most `per_second` a second; the others go without.

    Args:
        done: called with what was found, in that thread.
    """

    def __init__(
        self,
        score: Callable[[Request], Score | None],
        per_second: float,
        done: Callable[[Request, Score], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._score, self._done, self._clock = score, done, clock
        self._gap = 1 / per_second if per_second else float("inf")
        self._next = clock() if per_second else float("inf")
        self._queue: queue.Queue[Request | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="scoring", daemon=True)
        self._thread.start()

    def put(self, record: Request) -> bool:
        """Score this prompt if there is time. Called by one thread."""
        now = self._clock()
        if now < self._next or record.status != 200 or not record.prompt:
            return False
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            return False
        self._next = max(self._next + self._gap, now)  # no burst after a silence
        return True

    def close(self) -> None:
        """Leave what waits, and end after the prompt at hand."""
        while True:
            try:
                self._queue.put_nowait(None)
                break
            except queue.Full:
                try:
                    self._queue.get_nowait()
                except queue.Empty:
                    continue
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while (record := self._queue.get()) is not None:
            try:
                score = self._score(record)
            except Exception:  # a model server that is gone, slow or new: one prompt without a score, not a thread less
                continue
            if score is not None:
                self._done(record, score)
