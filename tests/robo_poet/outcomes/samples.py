"""Records for the tests of the outcome log."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from robo_poet.outcomes.log import OutcomeLog
from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.outcomes.record import AssignedArm, Outcome
from robo_poet.settings.serve import OutcomeSettings

CANARY, CHAMPION = AssignedArm("d:7", 0, "canary"), AssignedArm("d:7", 0, "champion")


def outcome(user: str = "u1", **fields: Any) -> Outcome:
    return Outcome(**{"time": 1_800_000_000.0, "user": user, "version": 2, "served": "canary", "status": 200, "seconds": 0.5} | fields)


def handle(log: OutcomeLog, assigned: AssignedArm, *outcomes: Outcome) -> None:
    """Begin and end a request for each outcome."""
    for each in outcomes:
        log.begin(assigned)
        log.end(assigned, each)


@contextlib.contextmanager
def running_log(folder: Path, **settings: Any) -> Iterator[OutcomeLog]:
    log = OutcomeLog(folder, OutcomeSettings(**settings))
    try:
        yield log
    finally:
        log.close()


def shares(reader: OutcomeReader) -> dict[str, float]:
    """Return the lost share of each arm, after reading what is new."""
    list(reader.read())
    return {arm: loss.share for arm, loss in reader.losses("d:7").items()}
