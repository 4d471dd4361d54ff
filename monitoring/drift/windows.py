"""Windows of live traffic: periods of the request log, by default whole days, with one score for each user (MON-3).

Whole days, so that day and night are not drift. Of each user, at most `quota` prompts count, chosen by the hash of their ids. So the choice
does not depend on the order of the log, and a user with many prompts takes no more memory than others.
"""

import hashlib
import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from robo_poet.corpus.curation.quality import DAMAGED_CHARACTER, language_of
from robo_poet.judges.drift.observations import UserScore, Window
from robo_poet.request_log.query import read_columns

DAY_SECONDS = 86_400.0
CLOSED_AFTER = 1 / 144  # of its length: a day is complete 10 minutes after its end. The request log writes a record within seconds
CLOSED_AFTER_SECONDS = 5.0  # at least
LANGUAGE_WORDS = 5  # the language of fewer words is not identified
LANGUAGE_CHARACTERS = 400  # of a user's prompts; of 600, the identification took two thirds of the time of a window
SHOWN_CHARACTERS = 200  # characters of a prompt that are looked at
SYMBOL = re.compile(r"[{}\[\]<>=_/\\|@#$%^&*~`+]")  # frequent in program code and mark-up, rare in prose
PLACEHOLDER = re.compile(r"<[A-Z_]+>")  # stands for personal data in the request log
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
COLUMNS = ("completion_id", "user", "prompt", "prompt_perplexity", "prompt_scored_tokens", "client")


class Prompt(NamedTuple):
    """A scored prompt of a user. `order` chooses the prompts that count."""

    order: int
    nats: float
    tokens: int
    text: str
    client: str


class Period(NamedTuple):
    """The time of a window.

    Attributes:
        start, end: whole multiples of the window's length since 1970, in UTC.
    """

    start: datetime
    end: datetime

    def __str__(self) -> str:
        """Return `2026-03-02` for a day, else `2026-03-02 14:05:30`."""
        whole_day = self.end - self.start == timedelta(seconds=DAY_SECONDS)
        return str(self.start.date()) if whole_day else f"{self.start:%Y-%m-%d %H:%M:%S}"

    @classmethod
    def at(cls, moment: datetime, seconds: float) -> "Period":
        """Return the period of `seconds` that contains the moment."""
        start = moment.timestamp() // seconds * seconds
        return cls.since(start, seconds)

    @classmethod
    def since(cls, start: float, seconds: float) -> "Period":
        """Return the period that starts `start` seconds after 1970."""
        return cls(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(start + seconds, UTC))

    def later(self, count: int) -> "Period":
        """Return the period that starts `count` lengths later."""
        length = self.end - self.start
        return Period(self.start + count * length, self.end + count * length)


def closed_periods(now: datetime, seconds: float, count: int) -> list[Period]:
    """Return the last `count` complete periods, oldest first.

    Args:
        seconds: length of a period, 86,400 for a day.
    """
    wait = max(CLOSED_AFTER * seconds, CLOSED_AFTER_SECONDS)
    running = Period.at(now - timedelta(seconds=wait), seconds)
    return [running.later(-back) for back in range(count, 0, -1)]


def read_window(folder: Path, digest: str, period: Period, quota: int) -> Window:
    """Return the window of a period. Without requests it has no users. Arguments and errors as in `read_windows`."""
    empty = Window(period.start.timestamp(), period.end.timestamp(), [])
    return next(read_windows(folder, digest, period, period, quota), empty)


def read_windows(folder: Path, digest: str, first: Period, last: Period, quota: int) -> Iterator[Window]:
    """Yield the windows with requests, oldest first, in one pass over the log. The memory contains one part, and the windows of a day.

    Args:
        folder: folder of the request log.
        digest: digest of the version; requests that another version answered do not count.
        first, last: the first and the last period.
        quota: scored prompts that count of each user.

    Raises:
        BadInput: the folder is not a request log, or a part of it cannot be read.
    """
    length, collected = first.end - first.start, dict[int, _Collected]()

    def window(count: int) -> Window:
        prompts, period = collected.pop(count), first.later(count)
        return Window(period.start.timestamp(), period.end.timestamp(), prompts.users(), prompts.unscored)

    for part in read_columns(folder, ("time", "digest", "status", *COLUMNS), first.start, last.end):
        day = pc.min(part["time"]).as_py().replace(hour=0, minute=0, second=0, microsecond=0)  # later parts have no earlier day
        for count in sorted(count for count in collected if first.later(count).end <= day):
            yield window(count)
        answered = part.filter(pc.and_(pc.equal(part["digest"], digest), pc.equal(part["status"], 200)))
        counts = (answered["time"].cast(pa.int64()).to_numpy() - (first.start - EPOCH) // MICROSECOND) // (length // MICROSECOND)
        for count in np.unique(counts).tolist():
            collected.setdefault(count, _Collected(quota)).add(answered.filter(pa.array(counts == count)).select(COLUMNS))
    for count in sorted(collected):
        yield window(count)


class _Collected:
    """The scored prompts of one window, at most `quota` of each user."""

    def __init__(self, quota: int) -> None:
        self._quota = quota
        self._prompts: dict[str, list[Prompt]] = {}
        self._requests = self._without_score = 0

    @property
    def unscored(self) -> float:
        """The share of the requests without a score, 0 to 1."""
        return self._without_score / self._requests if self._requests else 0.0

    def add(self, part: pa.Table) -> None:
        """Add rows with `COLUMNS`. Rows of one request have the same prompt and count once each."""
        self._requests += part.num_rows
        for completion_id, user, text, perplexity, tokens, client in zip(*(part[name].to_pylist() for name in COLUMNS), strict=True):
            if not perplexity or not tokens or not math.isfinite(perplexity):
                self._without_score += 1
                continue
            order = int.from_bytes(hashlib.sha256(completion_id.encode()).digest()[:8], "big")
            prompt = Prompt(-order, math.log(perplexity), tokens, (text or "")[:SHOWN_CHARACTERS], client or "")
            kept = self._prompts.setdefault(user, [])
            if len(kept) < self._quota:
                heapq.heappush(kept, prompt)
            else:
                heapq.heappushpop(kept, prompt)  # the heap keeps the prompts with the smallest hashes

    def users(self) -> list[UserScore]:
        """Return a score for each user, in the order of their pseudonyms."""
        return [_score(sorted(prompts)) for _, prompts in sorted(self._prompts.items())]


def _score(prompts: Sequence[Prompt]) -> UserScore:
    tokens = sum(prompt.tokens for prompt in prompts)
    texts = [PLACEHOLDER.sub(" ", prompt.text) for prompt in prompts]
    clients = Counter(prompt.client for prompt in prompts if prompt.client)
    return UserScore(
        nats=math.fsum(prompt.nats * prompt.tokens for prompt in prompts) / tokens,
        prompts=len(prompts),
        tokens=tokens / len(prompts),
        broken=_broken_share(texts),
        values={"language": _language(" ".join(texts))} | ({"client": max(sorted(clients), key=clients.__getitem__)} if clients else {}),
    )


def _broken_share(texts: Iterable[str]) -> float:
    """Return the share of characters that are rare in prose: control and replacement characters, symbols of program code."""
    text = "".join(texts)
    return (len(DAMAGED_CHARACTER.findall(text)) + len(SYMBOL.findall(text))) / len(text) if text else 0.0


def _language(text: str) -> str:
    return language_of(text[:LANGUAGE_CHARACTERS]) if len(text.split()) >= LANGUAGE_WORDS else "unknown"
