"""Scrubbing of texts in a background thread (contract 11: texts of users get the full treatment).

Name recognition takes some 30 ms of CPU for 1,000 characters. It also fragments the heap, so the writer process returns free memory
regularly.
"""

import ctypes
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput
from robo_poet.privacy.scrub import Scrubber
from robo_poet.request_log.writer import RowPosition, Writer
from robo_poet.settings.data import ScrubSettings
from robo_poet.settings.serve import RequestLogSettings

SEPARATOR = "\n\x1e\n"  # a separate line, so that no match spans two texts


class TextScrubber:
    """A scrubber of a prompt and its completions. They are scrubbed as one text, so that a name found in one is found in all.

    Raises:
        BadInput: the spaCy model is not installed.
    """

    def __init__(self, settings: RequestLogSettings) -> None:
        self._scrubber = Scrubber(
            ScrubSettings(
                policies={},
                default_policy=settings.names,
                min_score=settings.min_score,
                name_engine=settings.name_engine,
                name_threshold=settings.name_threshold,
                spacy_model=settings.spacy_model,
                rules=settings.rules,
            )
        )
        self.scrub(["Anna Kowalski"])  # load the spaCy model now, which takes some 2 s

    def scrub(self, texts: Sequence[str]) -> list[str]:
        """Return the texts without personal data, normalised and in the same order."""
        if any("\x1e" in text for text in texts):
            return [self._scrub_one(text) for text in texts]
        combined = self._scrub_one(SEPARATOR.join(texts)).split(SEPARATOR)
        return combined if len(combined) == len(texts) else [self._scrub_one(text) for text in texts]

    def _scrub_one(self, text: str) -> str:
        [(document, _)] = self._scrubber.scrub([Document(id="", group="", text=text)])
        return document.text


LOAD_DELAY = 10.0  # maximum seconds before the spaCy model is loaded without a text: a model server that starts now needs the cores first


def pause_after(worked: float, share: float) -> float:
    """Return the length of the pause, in seconds, after `worked` seconds of work, so that work takes `share` of the time."""
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
        self._queue: deque[tuple[float, RowPosition, Sequence[str]]] = deque()
        self._ready = threading.Condition()
        self._closing = self._without_model = False
        self.omitted, self.trouble = 0, ""
        self._thread = threading.Thread(target=self._run, name="scrubbing", daemon=True)
        self._thread.start()

    @property
    def full(self) -> bool:
        """True if no further texts are accepted: the queue is full, or the spaCy model is missing."""
        return len(self._queue) >= self._settings.text_queue or self._without_model

    def put(self, position: RowPosition, texts: Sequence[str]) -> None:
        """Queue the texts of a row: the prompt, then its completions."""
        with self._ready:
            self._queue.append((time.monotonic(), position, texts))
            self._ready.notify()

    def close(self) -> None:
        """Scrub the queued texts that have not waited too long, and end the thread."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        with self._ready:
            self._ready.wait_for(lambda: self._queue or self._closing, timeout=LOAD_DELAY)
        scrubber = self._load_scrubber()
        while (queued := self._next()) is not None:
            queued_at, position, originals = queued
            scrubbed = None
            if scrubber and time.monotonic() - queued_at <= self._settings.text_wait_seconds:
                started = time.thread_time()
                try:
                    scrubbed = scrubber.scrub(originals)
                except Exception as error:  # a recogniser failed: omit this text and continue with the next
                    self.trouble = f"scrubbing failed ({type(error).__name__}); the record is written without its texts"
            if scrubbed is None:
                self._writer.omit_texts(position)
                self.omitted += 1
            else:
                self._writer.set_texts(position, {"prompt": scrubbed[0], "completions": scrubbed[1:]})
                with self._ready:
                    self._ready.wait_for(
                        lambda: self._closing, timeout=pause_after(time.thread_time() - started, self._settings.scrub_share)
                    )

    def _load_scrubber(self) -> TextScrubber | None:
        if self._closing and not self._queue:
            return None
        try:
            return TextScrubber(self._settings)
        except BadInput as error:
            self.trouble, self._without_model = str(error), True
            return None

    def _next(self) -> tuple[float, RowPosition, Sequence[str]] | None:
        with self._ready:
            self._ready.wait_for(lambda: self._queue or self._closing)
            return self._queue.popleft() if self._queue else None


def trim_heap() -> None:
    """Return free heap memory to the operating system, if the C library supports it.

    Two threads allocate texts of all lengths, which fragments the heap. Without this call, the process grows by 1 MB a minute.
    """
    if _trim is not None:
        _trim(0)


def _find_malloc_trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim  # glibc only; musl and macOS do not have it
    except (OSError, AttributeError, TypeError):
        return None


_trim = _find_malloc_trim()
