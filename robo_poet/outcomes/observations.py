"""From outcomes to what the judge of a canary sees: one frozen observation for each user and step (DESIGN, contract 13)."""

import bisect
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from robo_poet.judges.canary.observations import CANARY, CHAMPION, UserObservation
from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.outcomes.record import WATCH, AssignedArm

LATE_SECONDS = 5.0  # from the end of a request until a reader has its line, at most
SERVER_ERROR = 500
LONGEST = 512  # tokens that a completion can have; for records of gateways that did not write what was asked for


class _Request(NamedTuple):
    """The counted values of a request, in the order of its start, in seconds since 1970."""

    time: float
    failed: bool
    refused: bool
    completed: bool
    slow: bool
    degenerate: bool
    length: float


@dataclass(slots=True)
class _User:
    """A user in a step who is not frozen yet. The end depends on the first start only, never on how fast or how often an arm answers:
    otherwise the order of the users would depend on the arm, and the judge's tests would be wrong.

    Attributes:
        requests: the earliest ones, at most as many as are counted.
        scores: (time, bits per byte) of shadow scores.
        ratings: completion → (time, last value).
        fallback: another arm served one of the outcomes.
    """

    arm: str
    requests: list[_Request] = field(default_factory=list)
    scores: list[tuple[float, float]] = field(default_factory=list)
    ratings: dict[str, tuple[float, float]] = field(default_factory=dict)
    latest: float = 0.0
    fallback: bool = False


class Observations:
    """The observations of an experiment, read incrementally from the outcomes of a model.

    A user counts once in a step: the requests that began within a time after the first one, the earliest up to a number. Later requests in
    this step, and requests in other steps, do not change the observation. Reading all files again gives the same observations, as long as
    clocks agree and lines are not late by more than `LATE_SECONDS`.

    Args:
        folder: the folder of the model's outcomes.
        experiment: see `robo_poet.outcomes.record.experiment_id`.
        requests: largest number of counted requests of a user in a step.
        seconds: time after the start of the first request after which a user is frozen, in seconds.
        slow_seconds: service level, in seconds per 100 tokens.
        deadline: longest time of a request (`serve.deadline_seconds`). A user is frozen only after it, because the slow requests end last.
        watch_step: step that the watch after a promotion has for the judge: the number of steps of the policy.
        since: start of the canary, in seconds since 1970. Older files are not read.

    Attributes:
        users: the frozen observations of all steps, in the order of freezing.
        damaged: outcomes with values that cannot be used.
    """

    def __init__(
        self, folder: Path, experiment: str, *, requests: int, seconds: float, slow_seconds: float, watch_step: int, since: float = 0,
        deadline: float = 30.0,
    ) -> None:  # fmt: skip
        self._reader = OutcomeReader(folder, since)
        self._experiment, self._requests, self._seconds = experiment, requests, seconds
        self._slow_seconds, self._watch_step = slow_seconds, watch_step
        self._settle = deadline + LATE_SECONDS
        self._open: dict[tuple[int, str], _User] = {}
        self._frozen: set[tuple[int, str]] = set()
        self._identified: dict[int, bool] = defaultdict(bool)
        self._all: Counter[tuple[int, str]] = Counter()
        self._other: Counter[tuple[int, str]] = Counter()
        self.users: list[UserObservation] = []
        self.damaged = 0

    @property
    def latest(self) -> float | None:
        """Time of the newest outcome, in seconds since 1970; None if there is none."""
        return self._reader.latest

    @property
    def alive_at(self) -> float | None:
        """Time of the last sign of life of a gateway, in seconds since 1970; None if no gateway has written. An idle gateway gives a sign
        every 5 s. Older data must not decide anything."""
        return self._reader.alive_at

    def update(self, now: float) -> list[UserObservation]:
        """Read what is new, and return the observations that it has frozen. `now` is in seconds since 1970.

        Raises:
            OSError: a file cannot be read.
        """
        for assigned, fields in self._reader.read():
            if assigned.experiment == self._experiment and (step := self._step(assigned)) >= 0:
                try:
                    self._add(step, assigned.arm, fields)
                except (ValueError, KeyError, TypeError, ZeroDivisionError):
                    self.damaged += 1
        frozen = []
        for key, user in list(self._open.items()):
            end = self._end(user)
            if end <= now - self._settle:  # `now` grows, so the order of freezing is that of the starts
                del self._open[key]
                if user.requests:
                    self._frozen.add(key)
                    self._all[key[0], user.arm] += 1
                    self._other[key[0], user.arm] += user.fallback
                    frozen.append(self._observation(*key, user, end))
        frozen.sort(key=lambda user: (user.frozen, user.user))
        self.users += frozen
        return frozen

    def lost(self, step: int) -> dict[str, float]:
        """Return the share of lost outcomes of each arm in a step, 0 to 1."""
        losses = self._reader.losses(self._experiment, WATCH if step == self._watch_step else step)
        return {arm: losses[arm].share if arm in losses else 0.0 for arm in (CHAMPION, CANARY)}

    def identified(self, step: int) -> bool:
        """Return True if a request in the step had a user of its own, and not only the user of an application."""
        return self._identified[step]

    def fallback(self, step: int) -> dict[str, float]:
        """Return the share of the frozen users of each arm with an outcome that another arm served, because its version was not loaded.

        A canary that is not loaded looks like the champion. So a high share must not promote it.
        """
        return {arm: self._other[step, arm] / max(1, self._all[step, arm]) for arm in (CHAMPION, CANARY)}

    def open_users(self, step: int) -> int:
        """Return the number of users of a step who are not frozen yet."""
        return sum(key[0] == step and bool(user.requests) for key, user in self._open.items())

    def _step(self, assigned: AssignedArm) -> int:
        return self._watch_step if assigned.step == WATCH else assigned.step

    def _add(self, step: int, arm: str, fields: Mapping[str, Any]) -> None:
        key, kind, time = (step, str(fields["user"])), fields["kind"], float(fields["time"])
        if not math.isfinite(time):
            raise ValueError("time")
        if kind == "outcome":
            self._identified[step] |= bool(fields.get("identified", True))
        if key in self._frozen:
            return
        user = self._open.setdefault(key, _User(arm))
        if user.arm != arm:  # a replica that has not seen a decision yet: the first arm counts
            return
        user.latest = max(user.latest, time)
        if kind == "outcome":
            user.fallback |= "served" in fields
            bisect.insort(user.requests, self._request(time, fields))
            del user.requests[self._requests :]
        elif kind == "score":
            bits = (float(fields["canary"]) - float(fields["champion"])) / math.log(2) / int(fields["bytes"])
            user.scores.append((time, bits))
        elif kind == "rating" and user.ratings.get(fields["completion"], (0.0,))[0] <= time:
            user.ratings[str(fields["completion"])] = time, min(1.0, max(-1.0, float(fields["value"])))

    def _request(self, time: float, fields: Mapping[str, Any]) -> _Request:
        completed, seconds = bool(fields.get("completed")), float(fields["seconds"])
        waited = float(fields["normalised"]) if completed else 0.0 if fields.get("refused") else seconds  # a client that gave up waited too
        return _Request(
            time=time - seconds, failed=int(fields["status"]) >= SERVER_ERROR or fields.get("aborted") == "server",
            refused=bool(fields.get("refused")), completed=completed,
            slow=waited > self._slow_seconds, degenerate=completed and bool(fields.get("degenerate")),
            length=min(1.0, float(fields["tokens"]) / float(fields.get("asked", LONGEST))) if completed else 0.0,
        )  # fmt: skip

    def _end(self, user: _User) -> float:
        """Return the time at which a user is frozen."""
        if not user.requests:  # a rating without a request in this step
            return user.latest + self._seconds
        return user.requests[0].time + self._seconds

    def _observation(self, step: int, name: str, user: _User, end: float) -> UserObservation:
        counted = [request for request in user.requests if request.time <= end]
        bits = [bits for time, bits in user.scores if time <= end + self._settle]
        ratings = [value for time, value in user.ratings.values() if time <= end + self._settle]
        return UserObservation(
            step=step, arm=user.arm, user=name, frozen=end, requests=len(counted), failed=sum(request.failed for request in counted),
            refused=sum(request.refused for request in counted), completions=sum(request.completed for request in counted),
            slow=sum(request.slow for request in counted), degenerate=sum(request.degenerate for request in counted),
            length=math.fsum(request.length for request in counted), quality=math.fsum(bits) / len(bits) if bits else None,
            ratings=len(ratings), rating=math.fsum(ratings),
        )  # fmt: skip
