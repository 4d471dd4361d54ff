"""Makes a baseline from windows, its JSON form, and the expected score of a user under it."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from robo_poet.judges.drift.observations import DIMENSIONS, LENGTH_CLASSES, NOT_SCORED, Baseline, Group, HeldOut, UserScore, Window

CLASS_USERS = 5  # a class of prompt length with fewer users in the baseline is not used
NEEDED = {"language", "length"}  # dimensions of every baseline; an older one has no `client`
SURE_USERS = 20  # with fewer users, the standard deviation is at least that of all users


def make_baseline(windows: Sequence[Window], heldout: HeldOut = NOT_SCORED) -> Baseline:
    """Return the statistics of the users of these windows.

    Args:
        heldout: the version's held-out text, scored now.

    Raises:
        ValueError: there is no user.
    """
    users = [user for window in windows for user in window.users]
    if not users:
        raise ValueError("a baseline needs a user")
    return Baseline(
        _group(user.nats for user in users),
        {dimension: _groups(users, dimension) for dimension in DIMENSIONS},
        float(np.mean([user.broken for user in users])),
        heldout,
    )


def _groups(users: Sequence[UserScore], dimension: str) -> dict[str, Group]:
    members = defaultdict(list)
    for user in users:
        if user.known(dimension):
            members[user.value(dimension)].append(user.nats)
    return {value: _group(nats) for value, nats in sorted(members.items())}


def _group(nats: Iterable[float]) -> Group:
    values = np.asarray(list(nats), np.float64)
    return Group(len(values), float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0)


def baseline_json(baseline: Baseline) -> dict[str, Any]:
    """Return the baseline as a JSON object of numbers. Without a score of held-out text it is that of an older release, with its digest."""
    groups = {dimension: {value: _row(group) for value, group in values.items()} for dimension, values in baseline.groups.items()}
    heldout: dict[str, Any] = {"heldout_nats": baseline.heldout.nats}
    if baseline.heldout.nats is not None:
        heldout["heldout_sample"] = baseline.heldout.sample
    return {"everyone": _row(baseline.everyone), "groups": groups, "broken": baseline.broken} | heldout


def parse_baseline(data: Mapping[str, Any]) -> Baseline:
    """Return the baseline of a JSON object.

    Raises:
        ValueError: a value is missing or impossible.
    """
    try:
        groups = {str(name): {str(value): _parsed(row) for value, row in rows.items()} for name, rows in data["groups"].items()}
        nats = data["heldout_nats"]
        heldout = NOT_SCORED if nats is None else HeldOut(float(nats), str(data.get("heldout_sample", "")), "")
        made = Baseline(_parsed(data["everyone"]), groups, float(data["broken"]), heldout)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a baseline: {error}") from None
    if NEEDED - set(groups) or not all(math.isfinite(number) for number in (made.broken, made.heldout.nats or 0.0)):
        raise ValueError("not a baseline: a dimension is missing or a number is not finite")
    return made


def _row(group: Group) -> dict[str, float]:
    return {"users": group.users, "mean": group.mean, "deviation": group.deviation}


def _parsed(row: Mapping[str, Any]) -> Group:
    group = Group(int(row["users"]), float(row["mean"]), float(row["deviation"]))
    if group.users < 1 or not (math.isfinite(group.mean) and 0 <= group.deviation < math.inf):
        raise ValueError("not a baseline: a group has no users, or a number that is impossible")
    return group


def expected_by_length(baseline: Baseline) -> dict[str, Group]:
    """Return for each class of prompt length the group that a user of this class is compared with.

    A short prompt has a higher cross-entropy per token: the model has less context. So more short prompts are not drift. A class with few
    users in the baseline takes the group of the nearest class.
    """
    groups = baseline.groups["length"]
    large = [k for k, value in enumerate(LENGTH_CLASSES) if value in groups and groups[value].users >= CLASS_USERS]
    if not large:
        return dict.fromkeys(LENGTH_CLASSES, baseline.everyone)
    return {value: groups[LENGTH_CLASSES[min(large, key=lambda other: abs(other - k))]] for k, value in enumerate(LENGTH_CLASSES)}


def expected_error(baseline: Baseline, shares: Mapping[str, float]) -> float:
    """Return the standard error of the expected mean, in nats.

    Args:
        shares: length class → share of the window's users in it.
    """
    groups = expected_by_length(baseline)
    merged = defaultdict[Group, float](float)  # two classes may be compared with one group
    for value, share in shares.items():
        merged[groups[value]] += share
    return math.sqrt(math.fsum(share**2 * _deviation(group, baseline) ** 2 / group.users for group, share in merged.items()))


def _deviation(group: Group, baseline: Baseline) -> float:
    return group.deviation if group.users >= SURE_USERS else max(group.deviation, baseline.everyone.deviation)
