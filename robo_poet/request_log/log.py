"""The gateway's interface to the request log. Handing over a record takes microseconds.

Sampling depends only on the completion id. So every process keeps the same ids, and the feedback on a kept request is kept, too.
"""

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
from hashlib import blake2b
from pathlib import Path

from robo_poet.permissions import make_private_folder
from robo_poet.request_log.process import WriterProcess
from robo_poet.request_log.record import Feedback, Request, Score
from robo_poet.request_log.scoring import Scoring
from robo_poet.settings.serve import RequestLogSettings

_HASH_RANGE = 1 << 64


def sampled(completion_id: str, rate: float) -> bool:
    """Return True if a completion is kept at this rate (0 to 1). An id that is kept at one rate is kept at every higher rate."""
    if rate >= 1:
        return True
    digest = blake2b(completion_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < rate * _HASH_RANGE


log = logging.getLogger(__name__)
OUTCOMES = {
    "written": "requests written",
    "feedback": "feedback written",
    "unsampled": "not in the sample",
    "dropped": "the queue was full, or the writer process was not running",
    "failed": "the disk was full or not available",
    "invalid": "a value did not fit its column",
    "text_omitted": "written without texts, because there was no time to scrub them",
    "score_late": "the perplexity of a prompt came too late to be written",
}
POLL_SECONDS = 0.25  # seconds between two checks of the process while no record arrives


class RequestLog:
    """A sampling request log that sends records to a writer process. The process scrubs personal data and writes Parquet by day.

    `put` and `feedback` neither block nor raise. A record that cannot be kept is counted and dropped.

    Args:
        folder: folder of the log.
        settings: section `serve.request_log` of the profile.
        score: returns the likelihood of a prompt under the version that answered it, or None. It is called in a separate
            thread, at most `scores_per_second` times a second. After an exception, the prompt has no score.
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
            with contextlib.suppress(OSError):  # the first record reports the error
                make_private_folder(folder)  # so that reading a log without records is not an error
            self._thread.start()

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the number of records by outcome. `OUTCOMES` describes the outcomes."""
        with self._lock:
            total = self._counts + self._process.counts
        return {outcome: total[outcome] for outcome in OUTCOMES}

    @property
    def waiting(self) -> int:
        """Number of records that wait to be sent to the writer process."""
        return self._queue.qsize()

    @property
    def trouble(self) -> str:
        """One line that describes a current problem, such as a missing spaCy model; empty if there is none."""
        return self._process.trouble

    def put(self, record: Request) -> bool:
        """Queue a request if it is sampled and the queue is not full. Return True if it is queued. This takes a few microseconds."""
        return self._put("request", record)

    def feedback(self, record: Feedback) -> bool:
        """Queue feedback if its completion is sampled and the queue is not full. Return True if it is queued."""
        return self._put("feedback", record)

    def close(self, seconds: float = 10) -> None:
        """Hand over the waiting records, and wait up to `seconds` for the writer process.

        After that time, this method returns and the process finishes later.
        """
        if not self.settings.enabled or self._closing.is_set():
            return
        self._closing.set()
        deadline = time.monotonic() + seconds
        if self._scoring:
            self._scoring.close()
        self._thread.join(timeout=seconds / 2)
        self._late.set()
        self._thread.join()
        self._process.close(max(0.0, deadline - time.monotonic()))

    def _put(self, kind: str, record: Request | Feedback) -> bool:
        if not self.settings.enabled or not sampled(record.completion_id, self.settings.sample_rate):
            self._count("unsampled")
            return False
        if self._closing.is_set() or self._queue.qsize() >= self.settings.queue:
            self._count("dropped")
            return False
        self._queue.put((kind, record))
        return True

    def _count(self, outcome: str) -> None:
        with self._lock:
            self._counts[outcome] += 1

    def _scored(self, record: Request, score: Score) -> None:
        if score.tokens > 0:
            fields = {"prompt_perplexity": math.exp(min(700.0, score.nats / score.tokens)), "prompt_scored_tokens": score.tokens}
            self._queue.put(("patch", {"completion_id": record.completion_id, "fields": fields}))

    def _run(self) -> None:
        self._process.ensure_running()
        while True:
            try:
                kind, record = self._queue.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if self._closing.is_set():
                    return
                self._process.ensure_running()
                self._read_counts()
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
        self._read_counts()

    def _read_counts(self) -> None:
        before = self._process.trouble
        self._process.read_counts()
        if self._process.trouble not in ("", before):
            log.warning("request log: %s", self._process.trouble)
