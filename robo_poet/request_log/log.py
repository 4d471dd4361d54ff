"""The request log as the gateway sees it: hand a record over in microseconds, and forget it."""

import contextlib
import json
import logging
import math
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from robo_poet.request_log.process import WriterProcess
from robo_poet.request_log.record import Feedback, Request, Score
from robo_poet.request_log.sampling import sampled
from robo_poet.request_log.scoring import Scoring
from robo_poet.settings.request_log import RequestLogSettings

log = logging.getLogger(__name__)
OUTCOMES = {
    "written": "requests written",
    "feedback": "feedback written",
    "unsampled": "not in the sample",
    "dropped": "no room in the queue, or the writer does not run",
    "failed": "the disk is full or gone",
    "invalid": "a value fits no column",
    "text_omitted": "written without its texts: no time to scrub them",
    "score_late": "a prompt's perplexity came too late",
}
PAUSE = 0.25  # seconds between two looks at the process, while nothing comes


class RequestLog:
    """Samples records and feedback, and hands them to a process that takes personal data out and writes Parquet by day.

    Nothing here blocks or raises: what cannot be kept is counted and lost.

    Args:
        score: likelihood of a prompt under the version that answered it, or None; called in a thread of its own, at most
            `scores_per_second` times a second. An exception is one prompt without a score.
    """

    def __init__(
        self, folder: Path, settings: RequestLogSettings | None = None, score: Callable[[Request], Score | None] | None = None
    ) -> None:
        self.settings = settings or RequestLogSettings()
        self._queue: queue.SimpleQueue[tuple[str, Request | Feedback | Mapping[str, object]]] = queue.SimpleQueue()
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._late = threading.Event()
        self._process = WriterProcess(folder, self.settings, self._late.is_set)
        self._scoring = Scoring(score, self.settings.scores_per_second, self._scored) if score else None
        self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
        if self.settings.enabled:
            with contextlib.suppress(OSError):  # said with the first record
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # who reads a log that is empty yet is told no other thing
            self._thread.start()

    @property
    def counts(self) -> Mapping[str, int]:
        """Totals, by outcome: see `OUTCOMES`."""
        with self._lock:
            total = self._counts + self._process.counts
        return {outcome: total[outcome] for outcome in OUTCOMES}

    @property
    def waiting(self) -> int:
        """Records that wait to be handed over."""
        return self._queue.qsize()

    @property
    def trouble(self) -> str:
        """One line about what does not work, such as a spaCy model that is not installed; empty if all does."""
        return self._process.trouble

    def put(self, record: Request) -> bool:
        """Keep a request, if it is sampled and there is room; costs some microseconds. Returns whether it is kept."""
        return self._put("request", record)

    def feedback(self, record: Feedback) -> bool:
        """Keep feedback, if its completion is sampled and there is room."""
        return self._put("feedback", record)

    def close(self, seconds: float = 10) -> None:
        """Hand over what waits, and wait so long for the writer to finish; it goes on alone if that is not enough."""
        if not self.settings.enabled or self._closing.is_set():
            return
        self._closing.set()
        until = time.monotonic() + seconds
        if self._scoring:
            self._scoring.close()
        self._thread.join(timeout=seconds / 2)
        self._late.set()
        self._thread.join()
        self._process.close(max(0.0, until - time.monotonic()))

    def _put(self, kind: str, record: Request | Feedback) -> bool:
        if not self.settings.enabled or not sampled(record.completion_id, self.settings.sample_rate):
            self._count("unsampled")
            return False
        if self._closing.is_set() or self._queue.qsize() >= self.settings.queue:
            self._count("dropped")
            return False
        self._queue.put((kind, record))
        return True

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def _scored(self, record: Request, score: Score) -> None:
        if score.tokens > 0:
            fields = {"prompt_perplexity": math.exp(min(700.0, score.nats / score.tokens)), "prompt_scored_tokens": score.tokens}
            self._queue.put(("patch", {"completion_id": record.completion_id, "fields": fields}))

    def _run(self) -> None:
        self._process.alive()
        while True:
            try:
                kind, record = self._queue.get(timeout=PAUSE)
            except queue.Empty:
                if self._closing.is_set():
                    return
                self._process.alive()
                self._listen()
                continue
            self._hand_over(kind, record)

    def _hand_over(self, kind: str, record: Request | Feedback | Mapping[str, object]) -> None:
        try:
            message = {"kind": kind, **record} if isinstance(record, Mapping) else {"kind": kind, "row": asdict(record)}
            line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        except (TypeError, ValueError):
            self._count("invalid")
            return
        if not self._process.send(line):
            self._count("dropped")
        elif isinstance(record, Request) and self._scoring:
            self._scoring.put(record)
        self._listen()

    def _listen(self) -> None:
        before = self._process.trouble
        self._process.listen()
        if self._process.trouble not in ("", before):
            log.warning("request log: %s", self._process.trouble)
