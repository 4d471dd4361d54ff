"""Scoring of prompts in the background, at a limited rate, so that it does not delay answers."""

import queue
import threading
import time
from collections.abc import Callable

from robo_poet.request_log.record import Request, Score

MAX_QUEUED = 8  # queued prompts; more would increase the load of a model server that is busy with requests


class Scoring:
    """A thread that calls `score` for one prompt at a time, at most `per_second` times a second.

    Prompts above this rate, or while the queue is full, are skipped.

    Args:
        score: returns the score of a prompt, or None. An exception skips the prompt.
        per_second: maximum rate; 0 scores no prompt.
        done: called with the request and its score, in the scoring thread.
        clock: monotonic time in seconds.
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
        self._queue: queue.Queue[Request | None] = queue.Queue(MAX_QUEUED)
        self._thread = threading.Thread(target=self._run, name="scoring", daemon=True)
        self._thread.start()

    def put(self, record: Request) -> bool:
        """Queue a prompt if rate and queue allow it; return True if it is queued. Not thread-safe: one thread calls it."""
        now = self._clock()
        if now < self._next or record.status != 200 or not record.prompt:
            return False
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            return False
        self._next = max(self._next + self._gap, now)  # no burst after an idle period
        return True

    def close(self) -> None:
        """Drop the queued prompts and end the thread after the current prompt."""
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
            except Exception:  # the model server is gone, slow or restarting: skip this prompt and keep the thread
                continue
            if score is not None:
                self._done(record, score)
