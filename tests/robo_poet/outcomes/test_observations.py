import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from robo_poet.judges.canary.observations import UserObservation
from robo_poet.outcomes.files import file_name
from robo_poet.outcomes.observations import Observations
from robo_poet.outcomes.record import (
    NO_STEP,
    WATCH,
    AssignedArm,
    Rating,
    Score,
    arm_line,
    outcome_line,
    rating_line,
    score_line,
    tally_line,
)
from tests.robo_poet.outcomes.samples import CANARY, CHAMPION, outcome

T0 = 1_800_000_000.0


class Writer:
    """A process of a gateway whose lines a test writes. Times are in seconds after T0."""

    def __init__(self, folder: Path, name: str = "a") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / file_name(T0, name * 16)
        self._numbers: dict[AssignedArm, list[int]] = {}

    def _write(self, assigned: AssignedArm) -> list[int]:
        if assigned not in self._numbers:
            self._numbers[assigned] = [len(self._numbers) + 1, 0]
            self._append(arm_line(self._numbers[assigned][0], assigned))
        return self._numbers[assigned]

    def _append(self, line: bytes) -> None:
        with self._path.open("ab") as opened:
            opened.write(line)

    def outcome(self, assigned: AssignedArm, user: str, at: float, *, lost: bool = False, **fields: Any) -> None:
        tally = self._write(assigned)
        tally[1] += 1
        fields = {"completed": True, "normalised": 1.0, "tokens": 10, "asked": 40, "served": assigned.arm, **fields}
        if not lost:
            self._append(outcome_line(*tally, assigned, outcome(user, time=T0 + at, **fields)))

    def note(self, assigned: AssignedArm, record: Rating | Score) -> None:
        number, _ = self._write(assigned)
        self._append(rating_line(number, record) if isinstance(record, Rating) else score_line(number, record))

    def raw(self, line: bytes) -> None:
        self._append(line)


def observations(folder: Path, **changes: Any) -> Observations:
    return Observations(folder, "d:7", **{"requests": 3, "seconds": 60.0, "slow_seconds": 2.0, "watch_step": 4, **changes})


def summary(users: Sequence[UserObservation]) -> list[tuple[int, str, str, float, int]]:
    return [(user.step, user.arm, user.user, user.frozen - T0, user.requests) for user in users]


def test_a_user_is_frozen_after_a_time_that_does_not_depend_on_the_requests_and_counts_once(tmp_path: Path) -> None:
    """If many or fast requests froze a user earlier, the order of the users would depend on the arm."""
    writer, seen = Writer(tmp_path), observations(tmp_path)
    for at in (0, 10, 20, 30):
        writer.outcome(CANARY, "many", at, seconds=0.0, status=500 if at == 30 else 200)
    writer.outcome(CHAMPION, "slow", 29, seconds=29.0)
    writer.outcome(CHAMPION, "slow", 59, seconds=0.0)
    writer.outcome(CHAMPION, "slow", 61, seconds=0.0, status=500)  # began after the end
    writer.outcome(CHAMPION, "slow", 80, seconds=21.5)  # began before the end
    assert seen.update(T0 + 94) == [] and seen.open_users(0) == 2
    assert summary(seen.update(T0 + 96)) == [(0, "canary", "many", 60, 3), (0, "champion", "slow", 60, 3)]
    writer.outcome(CHAMPION, "slow", 90, status=500)
    assert seen.update(T0 + 1000) == [] and len(seen.users) == 2
    assert all(user.failed == 0 for user in seen.users)
    again = observations(tmp_path)
    again.update(T0 + 1000)
    assert again.users == seen.users  # a controller that starts again sees the same


def test_a_user_is_frozen_after_the_longest_request_that_a_gateway_allows(tmp_path: Path) -> None:
    """A fixed wait of 35 s froze users of a gateway with a deadline of 120 s before their slow requests had ended."""
    writer, seen = Writer(tmp_path), observations(tmp_path, deadline=120.0)
    writer.outcome(CANARY, "u", 1, seconds=1.0)
    assert seen.update(T0 + 150) == []
    writer.outcome(CANARY, "u", 170, seconds=120.0, status=504, completed=False)
    [user] = seen.update(T0 + 190)
    assert (user.requests, user.failed, user.frozen) == (2, 1, T0 + 60)


def test_what_is_counted(tmp_path: Path) -> None:
    writer, seen = Writer(tmp_path), observations(tmp_path, requests=9)
    none = {"completed": False}
    writer.outcome(CANARY, "u", 0, normalised=2.5, tokens=100, asked=80)  # more than asked for: counts as all
    writer.outcome(CANARY, "u", 1, degenerate=True, refused=True)
    writer.outcome(CANARY, "u", 2, status=504, **none)
    writer.outcome(CANARY, "u", 3, status=502, aborted="server", **none)
    writer.outcome(CANARY, "u", 4, status=422, refused=True, **none)
    writer.outcome(CANARY, "u", 5, status=499, aborted="client", seconds=4.0, **none)  # a client that gave up after 4 s
    writer.outcome(CANARY, "u", 6, status=422, **none)
    [user] = seen.update(T0 + 100)
    assert (user.requests, user.failed, user.refused, user.completions, user.slow, user.degenerate) == (7, 2, 2, 2, 2, 1)
    assert user.length == 1.25 and user.quality is None and user.ratings == 0


def test_steps_are_apart_and_the_watch_is_the_step_after_the_last(tmp_path: Path) -> None:
    writer, seen = Writer(tmp_path), observations(tmp_path)
    for step in (NO_STEP, 0, 1, WATCH):
        writer.outcome(AssignedArm("d:7", step, "canary"), "u", 0)
    writer.outcome(AssignedArm("d:9", 0, "canary"), "u", 0)
    writer.outcome(AssignedArm("", NO_STEP, "champion"), "u", 0)
    assert sorted(user.step for user in seen.update(T0 + 100)) == [0, 1, 4]


def test_a_user_of_two_replicas_is_one_user_in_the_order_of_time(tmp_path: Path) -> None:
    one, two, seen = Writer(tmp_path, "a"), Writer(tmp_path, "b"), observations(tmp_path)
    for at in (1, 3, 5, 7):
        one.outcome(CANARY, "u", at)
    for at in (0, 2, 4):
        two.outcome(CANARY, "u", at, status=500, completed=False)
    [user] = seen.update(T0 + 100)
    assert (user.requests, user.failed, user.frozen) == (3, 2, T0 + 59.5)


def test_scores_and_ratings(tmp_path: Path) -> None:
    writer, seen = Writer(tmp_path), observations(tmp_path)
    writer.note(CANARY, Rating(T0 + 1, "u", "c1", 1.0))
    writer.outcome(CANARY, "u", 0)
    writer.note(CANARY, Rating(T0 + 5, "u", "c1", -1.0))  # the last one counts
    writer.note(CANARY, Rating(T0 + 4, "u", "c2", 0.5))
    writer.note(CANARY, Rating(T0 + 5, "nobody", "c9", 1.0))
    writer.note(CANARY, Score(T0 + 1, "u", 69.3147, 0.0, 100))
    writer.note(CANARY, Score(T0 + 1, "u", 0.0, 138.6294, 100))
    writer.note(CANARY, Score(T0 + 99, "u", 0.0, 900.0, 1))
    [user] = seen.update(T0 + 100)
    assert (user.ratings, user.rating) == (2, -0.5) and user.quality == pytest.approx(-0.5, abs=1e-5)
    assert seen.open_users(0) == 0


def test_losses_and_identity_are_those_of_a_step(tmp_path: Path) -> None:
    writer, seen = Writer(tmp_path), observations(tmp_path)
    for number in range(10):
        writer.outcome(CANARY, f"u{number}", 0, lost=number == 4, identified=False)
    writer.outcome(AssignedArm("d:7", WATCH, "champion"), "u", 0)
    seen.update(T0 + 100)
    assert seen.lost(0) == {"champion": 0.0, "canary": 0.1} and seen.lost(1) == seen.lost(4) == {"champion": 0.0, "canary": 0.0}
    assert not seen.identified(0) and seen.identified(4) and not seen.identified(1)


def test_a_canary_that_is_not_loaded_is_seen(tmp_path: Path) -> None:
    writer, seen = Writer(tmp_path), observations(tmp_path)
    for number in range(4):
        writer.outcome(CANARY, f"u{number}", 0, served="champion" if number else "canary")
    seen.update(T0 + 100)
    assert seen.fallback(0) == {"champion": 0.0, "canary": 0.75} and seen.fallback(1) == {"champion": 0.0, "canary": 0.0}


def test_values_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    writer, seen = Writer(tmp_path), observations(tmp_path)
    writer.outcome(CANARY, "u", 0)
    for line in (
        b'{"kind":"outcome","n":1,"seq":2,"time":1800000001,"user":"u","status":"x"}\n',
        b'{"kind":"outcome","n":1,"seq":3,"time":1800000001,"user":"u","status":200,"completed":true}\n',
        b'{"kind":"outcome","n":1,"seq":4,"time":NaN,"user":"u","status":200}\n',
        b'{"kind":"score","n":1,"time":1800000001,"user":"u","canary":1,"champion":1,"bytes":0}\n',
        b'{"kind":"rating","n":1,"time":1800000001,"user":"u","completion":[],"value":1}\n',
    ):
        writer.raw(line)
    [user] = seen.update(T0 + 100)
    assert user.requests == 1 and seen.damaged == 5


def test_a_gateway_that_is_silent_is_seen(tmp_path: Path) -> None:
    seen = observations(tmp_path)
    seen.update(T0)
    assert seen.alive_at is None and seen.latest is None
    writer = Writer(tmp_path)
    writer.outcome(CANARY, "u", 0)
    writer.raw(tally_line("heartbeat", T0, {1: (1, 0)}))
    seen.update(T0 + 100)
    assert seen.latest == T0 and abs(float(seen.alive_at or 0) - time.time()) < 60


def test_reading_in_pieces_gives_the_same_as_reading_at_the_end(tmp_path: Path) -> None:
    dice, writer, pieces = random.Random(3), Writer(tmp_path), observations(tmp_path)
    for at in range(600):
        user = f"u{dice.randrange(40)}"
        assigned = CANARY if int(user[1:]) % 2 else CHAMPION
        writer.outcome(AssignedArm("d:7", at // 200, assigned.arm), user, at, status=dice.choice([200, 200, 500]))
        if at % 7 == 0:
            pieces.update(T0 + at)
    pieces.update(T0 + 1000)
    whole = observations(tmp_path)
    whole.update(T0 + 1000)
    assert sorted(pieces.users, key=repr) == sorted(whole.users, key=repr) and len(whole.users) > 100
