"""Windows of live traffic: periods of the request log, by default whole days, with one score for each user (MON-3).

Whole days, so that day and night are not drift. Of each user, at most `quota` prompts count, chosen by the hash of their ids. So the choice
does not depend on the order of the log, and a user with many prompts takes no more memory than others.
"""

import hashlib
import heapq
import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from robo_poet.corpus.curation.quality import DAMAGED_CHARACTER, language_of
from robo_poet.judges.drift.observations import UserScore, Window
from robo_poet.request_log.query import read_parts

DAY_SECONDS = 86_400.0
CLOSED_AFTER = 1 / 144  # of its length: a day is complete 10 minutes after its end. The request log writes a record within seconds
CLOSED_AFTER_SECONDS = 5.0  # at least
LANGUAGE_WORDS = 5  # the language of fewer words is not identified
SHOWN_CHARACTERS = 200  # characters of a prompt that are looked at
SYMBOL = re.compile(r"[{}\[\]<>=_/\\|@#$%^&*~`+]")  # frequent in program code and mark-up, rare in prose
PLACEHOLDER = re.compile(r"<[A-Z_]+>")  # stands for personal data in the request log
COLUMNS = ("completion_id", "user", "prompt", "prompt_perplexity", "prompt_scored_tokens")


class Prompt(NamedTuple):
    """A scored prompt of a user. `order` chooses the prompts that count."""

    order: int
    nats: float
    tokens: int
    text: str


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
    """Return the window of a period. Without requests it has no users. One part of the log is in memory at a time.

    Args:
        folder: folder of the request log.
        digest: digest of the version; requests that another version answered do not count.
        quota: scored prompts that count of each user.

    Raises:
        BadInput: the folder is not a request log, or a part of it cannot be read.
    """
    collected = _Collected(quota)
    for part in read_parts(folder, period.start, period.end):
        answered = pc.and_(pc.equal(part["digest"], digest), pc.equal(part["status"], 200))
        collected.add(part.filter(answered).select(COLUMNS))
    return Window(period.start.timestamp(), period.end.timestamp(), collected.users(), collected.unscored)


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
        for row in part.to_pylist():
            self._requests += 1
            perplexity, tokens = row["prompt_perplexity"], row["prompt_scored_tokens"]
            if not perplexity or not tokens or not math.isfinite(perplexity):
                self._without_score += 1
                continue
            order = int.from_bytes(hashlib.sha256(row["completion_id"].encode()).digest()[:8], "big")
            prompt = Prompt(-order, math.log(perplexity), tokens, (row["prompt"] or "")[:SHOWN_CHARACTERS])
            kept = self._prompts.setdefault(row["user"], [])
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
    return UserScore(
        nats=math.fsum(prompt.nats * prompt.tokens for prompt in prompts) / tokens,
        prompts=len(prompts),
        tokens=tokens / len(prompts),
        broken=_broken_share(texts),
        values={"language": _language(" ".join(texts))},
    )


def _broken_share(texts: Iterable[str]) -> float:
    """Return the share of characters that are rare in prose: control and replacement characters, symbols of program code."""
    text = "".join(texts)
    return (len(DAMAGED_CHARACTER.findall(text)) + len(SYMBOL.findall(text))) / len(text) if text else 0.0


def _language(text: str) -> str:
    return language_of(text) if len(text.split()) >= LANGUAGE_WORDS else "unknown"
