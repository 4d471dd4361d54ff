"""What is known about a release, for people: lines and rows for a terminal, and an HTML page with the course of each guardrail."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from robo_poet.judges.canary.judge import judge
from robo_poet.judges.canary.policy import Policy
from robo_poet.registry.state.state import State
from serving.canary.controller import Look

POINTS = 40  # of a course; each is a verdict about the users until then
WIDTH, HEIGHT = 420, 120  # of a plot, in CSS pixels
SUFFIXES = {"points": "points", "ratio": "%"}  # units that are shown as hundredths
NEXT = {
    "continue": "goes on", "next_step": "takes the next step", "promote": "is promoted", "roll_back": "is rolled back",
    "hold": "waits for a person", "end_watch": "is the champion of all users",
}  # fmt: skip


def number_text(unit: str, value: float | None) -> str:
    """Return a value of a guardrail with its unit; a dash if it is not known."""
    if value is None:
        return "–"
    text = f"{100 * value:+.1f}" if unit in SUFFIXES else f"{value:+.3f}"
    text = text.lstrip("+-") if not float(text) else text  # no "-0.0"
    return f"{text} {SUFFIXES.get(unit, unit if unit == 'bits per byte' else '')}".rstrip()


def bounds_text(finding: Mapping[str, Any]) -> str:
    """Return both bounds of a guardrail; a dash if nothing was measured. A bound that is not known yet is left open."""
    unit, low, high = finding["unit"], finding["low"], finding["high"]
    if low is None and high is None:
        return "–"
    if low is None:
        return f"at most {number_text(unit, high)}"
    return f"at least {number_text(unit, low)}" if high is None else f"{number_text(unit, low).split()[0]} to {number_text(unit, high)}"


def margin_text(finding: Mapping[str, Any]) -> str:
    """Return the margin of a guardrail; ± if a difference in either direction is a harm."""
    text = number_text(finding["unit"], finding["margin"]).lstrip("+")
    return f"± {text}" if finding["unit"] == "ratio" else text


def decision_notes(state: State, model: str) -> list[str]:
    """Return what the decisions of the gates say about champion and canary, where it differs from their stage; one line each."""
    shown = [state.record(number) for number in (state.champion, state.canary) if number is not None]
    return [f"{model}/{record.number} {note}" for record in shown for note in record.notes()]


def headline(look: Look, model: str, policy: Policy) -> list[str]:
    """Return what the release is and what the judge says."""
    release, evidence = look.release, look.verdict.evidence
    place = "watched after its promotion" if release.watch else f"canary, step {release.step + 1} of {len(policy.steps)}"
    name, other, users = f"{model}/{release.version}", f"{model}/{release.against}", evidence["users"]
    lines = [
        f"{name} against {other}: {place}, {release.share:.0%} of the users",
        f"users   {users['canary']} of {name}, {users['champion']} of {other}; {evidence['users_in_step']} in this step, "
        f"{max(evidence['minutes_in_step'], 0):.0f} minutes",
        *decision_notes(look.state, model),
    ]
    if release.step < 0:
        return [*lines, "next    the controller starts the first step"]
    judged = f"{NEXT[look.verdict.action]}: {'; '.join(look.verdict.reasons)}"
    return [*lines, f"held    {release.held}"] if release.held else [*lines, f"next    {judged}"]


def state_of(finding: dict[str, Any]) -> str:
    """Return the state of a guardrail in words."""
    if finding["estimate"] is None:
        return "not measured"
    return "harm proven" if finding["harmful"] else "harm excluded" if finding["safe"] else "open"


def needed_text(finding: Mapping[str, Any]) -> str:
    """Return how many further users the proof needs that a harm is excluded; a dash if that is settled or not known."""
    return f"about {finding['users_needed']}" if finding["users_needed"] and not finding["harmful"] else "–"


def rows(look: Look) -> list[tuple[str, ...]]:
    """Return a row for each guardrail: label, estimate, bounds, margin, users, further users needed, state."""
    table: list[tuple[str, ...]] = []
    for finding in look.verdict.evidence["guardrails"].values():
        unit = finding["unit"]
        table.append((
            finding["label"], number_text(unit, finding["estimate"]), bounds_text(finding),
            margin_text(finding), str(finding["users"]), needed_text(finding), state_of(finding),
        ))  # fmt: skip
    return table


def courses(look: Look, policy: Policy) -> list[dict[str, Any]]:
    """Return the guardrails' findings over time: what the judge would have said after a number of users."""
    users = sorted(look.users, key=lambda user: (user.frozen, user.user))
    counts = sorted({max(1, round(len(users) * part / POINTS)) for part in range(1, POINTS + 1)}) if users else []
    return [{"users": count, **judge(users[:count], look.facts, policy).evidence["guardrails"]} for count in counts]


def _plot(name: str, points: Sequence[dict[str, Any]], margin: float, total: int) -> str:
    known = [(point["users"], point[name]) for point in points if point[name]["estimate"] is not None]
    if not known:
        return "<p class=faint>Nothing was measured yet.</p>"
    top = 3 * margin

    def x(users: int) -> float:
        return 4 + (WIDTH - 8) * users / total

    def y(value: float | None, missing: float) -> float:
        return HEIGHT / 2 - (HEIGHT / 2 - 4) * max(-top, min(top, missing if value is None else value)) / top

    upper = [f"{x(users):.1f},{y(finding['high'], top):.1f}" for users, finding in known]
    lower = [f"{x(users):.1f},{y(finding['low'], -top):.1f}" for users, finding in reversed(known)]
    line = " ".join(f"{x(users):.1f},{y(finding['estimate'], 0):.1f}" for users, finding in known)
    rule = f"<line x1=4 x2={WIDTH - 4} y1={y(0, 0):.1f} y2={y(0, 0):.1f} class=zero />"
    two_sided = known[0][1]["unit"] == "ratio"  # a harm in either direction
    edge = "".join(
        f"<line x1=4 x2={WIDTH - 4} y1={y(side, 0):.1f} y2={y(side, 0):.1f} class=margin />"
        for side in ((margin, -margin) if two_sided else (margin,))
    )
    label = f"<text x={WIDTH - 6} y={y(margin, 0) - 4:.1f} text-anchor=end>margin</text>"
    return (
        f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' role=img aria-label='estimate and bounds over {total} users'>"
        f"<polygon points='{' '.join(upper + lower)}' class=band />{rule}{edge}{label}<polyline points='{line}' class=estimate /></svg>"
        f"<p class=faint>0 to {total} users; height ± {number_text(known[0][1]['unit'], top).lstrip('+')}</p>"
    )


STYLE = """
:root { color-scheme: light dark; --paper: #f6f2e9; --leaf: #fdfbf6; --ink: #25211b; --faint: #665e52; --rule: #d9d1c1; --accent: #8a3324; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #191715; --leaf: #211e1b; --ink: #e9e2d6; --faint: #a89f91; --rule: #3a352f; --accent: #e39a7e; }
}
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; background: var(--paper); color: var(--ink); }
body { font: 1rem/1.5 system-ui, sans-serif; }
h1, h2 { font-family: Georgia, "DejaVu Serif", serif; font-weight: 500; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; }
.lead { font-size: 1.15rem; } .faint, text { color: var(--faint); fill: var(--faint); font-size: .8rem; margin: 0; }
.lead, p { overflow-wrap: anywhere; } p b { font-weight: 600; margin-right: .4rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; margin-top: 1.5rem; }
.card { background: var(--leaf); border: 1px solid var(--rule); border-radius: 4px; padding: .9rem 1rem; }
.state { float: right; font-size: .85rem; color: var(--faint); }
.card.harm { border-color: var(--accent); } .harm .state { color: var(--accent); }
svg { width: 100%; height: auto; } .band { fill: var(--rule); opacity: .7; }
.estimate { fill: none; stroke: var(--accent); stroke-width: 2; }
.zero { stroke: var(--faint); stroke-width: .7; } .margin { stroke: var(--accent); stroke-dasharray: 4 3; stroke-width: 1; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .8rem; margin: .4rem 0 .6rem; font-variant-numeric: tabular-nums; }
dd { margin: 0; }
dt { color: var(--faint); }
"""


def status_page(look: Look, model: str, policy: Policy) -> str:
    """Return the page of a release: verdict and reasons, and a card with a plot for each guardrail. It needs nothing from elsewhere."""
    points, total = courses(look, policy), max(len(look.users), 1)
    cards = []
    for name, finding in look.verdict.evidence["guardrails"].items():
        unit = finding["unit"]
        cards.append(
            f"<section class='card{' harm' if finding['harmful'] else ''}'><span class=state>{state_of(finding)}</span>"
            f"<h2>{html.escape(finding['label'])}</h2><dl><dt>estimate</dt><dd>{number_text(unit, finding['estimate'])}</dd>"
            f"<dt>bounds</dt><dd>{bounds_text(finding)}</dd>"
            f"<dt>margin</dt><dd>{margin_text(finding)}</dd><dt>users</dt><dd>{finding['users']}</dd>"
            f"<dt>more users</dt><dd>{needed_text(finding)}</dd></dl>{_plot(name, points, finding['margin'], total)}</section>"
        )
    lead, *rest = headline(look, model, policy)
    parts = [line.split(maxsplit=1) for line in rest]
    paragraphs = "".join(f"<p><b>{label}</b> {html.escape(text)}</p>" for label, text in parts)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Canary of {html.escape(model)}</title>"
        f"<style>{STYLE}</style><h1>Canary of {html.escape(model)}</h1><p class=lead>{html.escape(lead)}</p>{paragraphs}"
        f"<p class=faint>A line is the estimated harm of the version, the band its bounds. A harm is proven if the band is above 0 and the "
        f"line above the margin; it is excluded if the band is below the margin. For the length, a change in either direction is a harm. "
        f"The bounds hold for all looks together.</p>"
        f"<div class=cards>{''.join(cards)}</div></html>\n"
    )
