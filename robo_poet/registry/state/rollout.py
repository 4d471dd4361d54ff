"""The ramp of a canary and the watch after a promotion, as parts of the registry's state (REG-2, contract 13).

A start as canary has share 0. Each `set_share` is the next step of the ramp. The ramp starts again from share 0 if the champion changes,
because its observations compare the canary with that champion.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from robo_poet.registry.log.entry import IllegalMove, Statement, is_digest


@dataclass(frozen=True)
class Watch:
    """The time after a promotion in which some users stay with the former champion.

    Args:
        former: number of the former champion.
        share: share of the users that stay with it, in (0, 1).
        since: index of the log entry of the promotion.
        ramp: `canary_since` of the ramp that led to the promotion, so that users stay with their version; `since` if there was none.
    """

    former: int
    share: float
    since: int
    ramp: int


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """What the log says about the exposure of versions to users.

    Args:
        canary_step: index of the present step of the ramp, from 0; -1 before the first step.
        canary_share: share of the users that the canary serves, in [0, 1).
        canary_held: the reason why the ramp is held; empty if it is not.
        canary_since: index of the log entry that started the experiment: the start of the canary, or a later change of the champion.
            0 without a canary.
        watch: the watch after a promotion; None if there is none.
    """

    canary_step: int = -1
    canary_share: float = 0.0
    canary_held: str = ""
    canary_since: int = 0
    watch: Watch | None = None


R = TypeVar("R", bound=Rollout)


def start_ramp(rollout: R, index: int) -> R:
    """Return the state with a ramp at share 0. `index` is the position of the statement in the log; 0 if there is no canary any more."""
    return replace(rollout, canary_step=-1, canary_share=0.0, canary_held="", canary_since=index)


def set_share(rollout: R, statement: Statement, champion: int | None) -> R:
    """Return the state after a step of the ramp.

    Raises:
        IllegalMove: there is no champion, the canary is held, a watch goes on, the step does not grow, or the share is not in (0, 1).
    """
    step, share = statement.details.get("step"), _share(statement, "share")
    if champion is None:
        raise IllegalMove("a canary gets users only next to a champion, and there is none", remedy="promote a version first")
    if rollout.canary_held:
        raise IllegalMove(f"the canary is held: {rollout.canary_held}", remedy="resume it first")
    if rollout.watch:
        raise IllegalMove(f"the watch of version {champion} goes on", remedy="end the watch first")
    if type(step) is not int or step <= rollout.canary_step:
        raise IllegalMove(f"the next step is at least {rollout.canary_step + 1}, not {step!r}")
    if not 0 < share < 1:
        raise IllegalMove(f"the share of a canary is between 0 and 1, not {share}")
    return replace(rollout, canary_step=step, canary_share=share)


def hold(rollout: R, statement: Statement) -> R:
    """Return the state with a ramp that stays at its share.

    Raises:
        IllegalMove: the canary is already held.
    """
    if rollout.canary_held:
        raise IllegalMove(f"the canary is already held: {rollout.canary_held}")
    return replace(rollout, canary_held=statement.why)


def resume(rollout: R) -> R:
    """Return the state with a ramp that goes on.

    Raises:
        IllegalMove: the canary is not held.
    """
    if not rollout.canary_held:
        raise IllegalMove("the canary is not held")
    return replace(rollout, canary_held="")


def start_watch(rollout: R, statement: Statement, former: int | None, index: int, *, was_canary: bool) -> R:
    """Return the state after a promotion, with a watch if the statement has a share for it. A roll-back to the watched version has none.

    Args:
        former: number of the former champion, None if there was none.
        was_canary: the promoted version was the canary. Otherwise it is a former champion.

    Raises:
        IllegalMove: the share is not in [0, 1).
    """
    share = _share(statement, "watch_share")
    if not 0 <= share < 1:
        raise IllegalMove(f"the share of a former champion is at least 0 and less than 1, not {share}")
    rolled_back = rollout.watch is not None and rollout.watch.former == statement.version
    if former is None or share == 0 or rolled_back:
        return replace(rollout, watch=None)
    return replace(rollout, watch=Watch(former, share, index, rollout.canary_since if was_canary else index))


def end_watch(rollout: R, number: int) -> R:
    """Return the state without a watch.

    Raises:
        IllegalMove: there is none.
    """
    if rollout.watch is None:
        raise IllegalMove(f"version {number} is not watched")
    return replace(rollout, watch=None)


def check_evidence(details: Mapping[str, Any]) -> None:
    """Check the digest of the evidence of a decision.

    Raises:
        IllegalMove: it is neither empty nor a SHA-256 in hexadecimal digits.
    """
    evidence = details.get("evidence", "")
    if not isinstance(evidence, str) or (evidence and not is_digest(evidence)):
        raise IllegalMove(f"the evidence is a SHA-256, not {evidence!r}")


def _share(statement: Statement, name: str) -> float:
    share = statement.details.get(name, 0.0)
    if type(share) not in (int, float):
        raise IllegalMove(f"{name} is a number, not {share!r}")
    return float(share)
