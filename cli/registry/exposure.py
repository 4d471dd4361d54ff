"""The share of the users that a version serves, and the moves that change it, as text and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from robo_poet.registry.entry import Statement
    from robo_poet.registry.state import State


def exposure(state: State, number: int) -> dict[str, Any]:
    """Return the share of users of a version as JSON: the canary's ramp, or the watch after a promotion. Empty for other versions."""
    if number == state.canary:
        held = {"held": state.canary_held} if state.canary_held else {}
        return {"share": state.canary_share, "step": state.canary_step, "since_entry": state.canary_since, **held}
    if state.watch and number == state.watch.former:
        return {"share": state.watch.share, "since_entry": state.watch.since}
    return {}


def exposure_text(state: State, number: int) -> str:
    """Return the share of users of a version as text; empty for versions other than the canary and a watched former champion."""
    shown = exposure(state, number)
    if not shown:
        return ""
    users = f"{100 * shown['share']:.3g} %"
    if "step" not in shown:
        return f"{users} of the users, while the champion is watched"
    step = "before the first step" if shown["step"] < 0 else f"step {shown['step'] + 1}"
    return f"{users} of the users, {step}" + (f", held: {shown['held']}" if "held" in shown else "")


def action_text(statement: Statement) -> str:
    """Return the action of a statement with the share that it sets, such as `set_share 25 %`."""
    for name in ("share", "watch_share"):
        if share := statement.details.get(name):
            return f"{statement.action} {100 * share:.3g} %" if name == "share" else f"{statement.action}, watch {100 * share:.3g} %"
    return str(statement.action)
