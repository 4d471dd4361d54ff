"""The records of the outcome log, and their lines.

A file has one JSON object in each line. `kind` says which:

    arm        n, experiment, step, arm            the number that the other lines of this file use for an assigned arm
    outcome    n, seq, time, user, version, …      one request
    forgotten  n, seq, running                     an outcome whose user asked for deletion
    rating     n, time, user, completion, value    a user's rating of a completion, from -1 to 1
    score      n, time, user, canary, champion, bytes    nats of both versions on the same bytes
    heartbeat  time, arms: {n: [issued, running]}  numbers given to outcomes so far, and requests in progress
    end        time, arms: {n: [issued, running]}  the process ended in order

`seq` counts the outcomes of a process and an arm without gaps, also those that could not be written. So a reader sees what was lost.
`running` is the number of requests of the arm that are in progress after an outcome.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

NO_STEP, WATCH = -1, -2  # steps of a record: before the first step of a canary, and in the watch after a promotion
Aborted = Literal["", "client", "server"]


@dataclass(frozen=True, slots=True)
class AssignedArm:
    """The arm that the registry's state assigns to a user.

    Attributes:
        experiment: digest of the canary and log index of its start, see `experiment_id`; empty without a canary.
        step: step of the ramp, from 0; NO_STEP or WATCH.
        arm: `champion` or `canary`. In the watch the former champion is `champion`, and the promoted version `canary`.
    """

    experiment: str
    step: int
    arm: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to a request.

    Attributes:
        time: end of the request, in seconds since 1970.
        user: pseudonym of the user that decided the arm.
        version: number of the version that served the request.
        served: arm that served the request, in the words of `AssignedArm.arm`. It differs from the assigned arm if that version is not
            loaded.
        status: HTTP status; 499 if the client disconnected first.
        seconds: duration of the request.
        normalised: seconds per 100 tokens of the longest sample; 0 without a text.
        tokens: generated tokens of all samples.
        asked: largest number of tokens that the request allowed, over all samples; 0 for a request without a text.
        completed: at least one sample was returned.
        refused: the content filter withheld or cut a sample. A refused prompt does not count: it says nothing about the version.
        degenerate: a returned sample is empty, ends in a loop, or repeats itself.
        aborted: the answer broke off, because the client went away or because the server broke it.
        identified: the user is one person as far as can be known. False for an application's key that named no end user.
    """

    time: float
    user: str
    version: int
    served: str
    status: int
    seconds: float
    normalised: float = 0.0
    tokens: int = 0
    asked: int = 0
    completed: bool = False
    refused: bool = False
    degenerate: bool = False
    aborted: Aborted = ""
    identified: bool = True


@dataclass(frozen=True, slots=True)
class Rating:
    """A user's rating of a completion.

    Attributes:
        completion: digest of the completion's id. The last rating of a completion counts.
        value: -1 (bad) to 1 (good).
    """

    time: float
    user: str
    completion: str
    value: float


@dataclass(frozen=True, slots=True)
class Score:
    """The likelihood of one text under both versions, over the same bytes.

    Attributes:
        canary, champion: nats.
        bytes: bytes of the text; more than 0.
    """

    time: float
    user: str
    canary: float
    champion: float
    bytes: int


def experiment_id(digest: str, since: int) -> str:
    """Return the id of the experiment of a canary: its digest, and the log index of the entry that started it."""
    return f"{digest}:{since}"


def arm_line(number: int, assigned: AssignedArm) -> bytes:
    """Return the line that declares the number of an arm."""
    return _line({"kind": "arm", "n": number, "experiment": assigned.experiment, "step": assigned.step, "arm": assigned.arm})


def outcome_line(number: int, seq: int, assigned: AssignedArm, outcome: Outcome, running: int = 0) -> bytes:
    """Return the line of an outcome. Values that are 0, False or as expected are left out."""
    fields: dict[str, Any] = {
        "kind": "outcome", "n": number, "seq": seq, "time": round(outcome.time, 3), "user": outcome.user, "version": outcome.version,
        "status": int(outcome.status), "seconds": round(outcome.seconds, 4),
    }  # fmt: skip
    if running:
        fields["running"] = running
    if outcome.served != assigned.arm:
        fields["served"] = outcome.served
    if outcome.completed:
        fields |= {"completed": True, "normalised": round(outcome.normalised, 4), "tokens": outcome.tokens}
        fields |= {"asked": outcome.asked} if outcome.asked else {}
    fields |= {name: True for name in ("refused", "degenerate") if getattr(outcome, name)}
    if outcome.aborted:
        fields["aborted"] = outcome.aborted
    if not outcome.identified:
        fields["identified"] = False
    return _line(fields)


def rating_line(number: int, rating: Rating) -> bytes:
    """Return the line of a rating."""
    fields = {"time": round(rating.time, 3), "user": rating.user, "completion": rating.completion, "value": rating.value}
    return _line({"kind": "rating", "n": number, **fields})


def score_line(number: int, score: Score) -> bytes:
    """Return the line of a shadow score."""
    nats = {"canary": round(score.canary, 4), "champion": round(score.champion, 4), "bytes": score.bytes}
    return _line({"kind": "score", "n": number, "time": round(score.time, 3), "user": score.user, **nats})


def tally_line(kind: Literal["heartbeat", "end"], time: float, arms: Mapping[int, tuple[int, int]]) -> bytes:
    """Return a heartbeat, or the last line of a process.

    Args:
        arms: number of the arm → (outcomes numbered so far, requests in progress).
    """
    return _line({"kind": kind, "time": round(time, 3), "arms": {str(number): list(tally) for number, tally in arms.items()}})


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":"), allow_nan=False).encode() + b"\n"
