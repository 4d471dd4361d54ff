"""The scrubbing thread and its queue. Name recognition takes some 60 ms for 1,000 characters."""

import threading
import time
from collections import deque
from collections.abc import Sequence

from robo_poet.errors import BadInput
from robo_poet.request_log.texts import Texts
from robo_poet.request_log.writer import Place, Writer
from robo_poet.settings.request_log import RequestLogSettings

LATER = 10.0  # maximum seconds before the spaCy model is loaded without a text: a model server that starts now needs the cores first


def rest(worked: float, share: float) -> float:
    """Return the seconds to pause after `worked` seconds, so that work takes `share` of the time."""
    return worked * (1 / share - 1)


class Scrubbing:
    """A thread that scrubs queued texts and adds them to their rows.

    A text that waits too long or cannot be scrubbed is never written. Without the spaCy model, no text is written.

    Attributes:
        omitted: number of records whose texts were not written.
        trouble: one line about the last problem, or empty.
    """

    def __init__(self, writer: Writer, settings: RequestLogSettings) -> None:
        self._writer, self._settings = writer, settings
        self._queue: deque[tuple[float, Place, Sequence[str]]] = deque()
        self._ready = threading.Condition()
        self._closing = self._without_model = False
        self.omitted, self.trouble = 0, ""
        self._thread = threading.Thread(target=self._run, name="scrubbing", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """True if no further texts are accepted: the queue is full, or the spaCy model is missing."""
        return len(self._queue) >= self._settings.text_queue or self._without_model

    def put(self, place: Place, texts: Sequence[str]) -> None:
        """Queue the texts of a row: the prompt, then its completions."""
        with self._ready:
            self._queue.append((time.monotonic(), place, texts))
            self._ready.notify()

    def close(self) -> None:
        """Scrub the queued texts that have not waited too long, and end the thread."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        with self._ready:
            self._ready.wait_for(lambda: self._queue or self._closing, timeout=LATER)
        scrubber = self._texts()
        while (queued := self._next()) is not None:
            queued_at, place, originals = queued
            scrubbed = None
            if scrubber and time.monotonic() - queued_at <= self._settings.text_wait_seconds:
                started = time.thread_time()
                try:
                    scrubbed = scrubber.scrub(originals)
                except Exception as error:  # a recogniser failed: omit this text and continue with the next
                    self.trouble = f"a text could not be scrubbed: {type(error).__name__}"
            if scrubbed is None:
                self._writer.give_up(place)
                self.omitted += 1
            else:
                self._writer.fill(place, {"prompt": scrubbed[0], "completions": scrubbed[1:]})
                with self._ready:
                    self._ready.wait_for(lambda: self._closing, timeout=rest(time.thread_time() - started, self._settings.scrub_share))

    def _texts(self) -> Texts | None:
        if self._closing and not self._queue:
            return None
        try:
            return Texts(self._settings)
        except BadInput as error:
            self.trouble, self._without_model = str(error), True
            return None

    def _next(self) -> tuple[float, Place, Sequence[str]] | None:
        with self._ready:
            self._ready.wait_for(lambda: self._queue or self._closing)
            return self._queue.popleft() if self._queue else None
