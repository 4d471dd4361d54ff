"""Changes to a version after its card was signed. They are shown above the card, which never changes (contract 8)."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Statement
from robo_poet.registry.state.record import ACCEPTED
from robo_poet.registry.versions.decisions import Judged

PAGE, DATA = "report.html", "card.json"  # files in a version's folder


def write_card_with_history(
    folder: Path, number: int, stage: str, overrides: Sequence[Statement], decisions: Sequence[Judged], target: Path, *,
    registered: str = "",
) -> None:  # fmt: skip
    """Write the card of the version in `folder` to `target`, with number, date, stage, overrides and later decisions below its heading.

    Args:
        decisions: all decisions of the gates, oldest first. The card itself has the first one.
        registered: date of the registration, such as 2026-01-02; empty if it is not known.

    Raises:
        BadInput: the version has no card.
    """
    html = _read_card(folder / PAGE)
    head, heading_end, rest = html.partition("</h1>")
    if not heading_end:
        raise BadInput("the page has no heading", where=str(folder / PAGE), remedy="register the version again")
    notes = "".join(
        f'<p class="fail">Overridden by {escape(entry.who)} on {escape(entry.time[:10])}, against the gates: {escape(entry.why)}</p>'
        for entry in overrides
    )
    notes += "".join(
        f'<p class="{"pass" if judged.verdict == ACCEPTED else "fail"}">Judged again: {escape(judged.text)}</p>' for judged in decisions[1:]
    )
    notes += "<p>This page shows the measurements and gates of the first decision.</p>" if decisions[1:] else ""
    date = f", registered on {escape(registered)}" if registered else ""
    stage_html = f'<p>Version {number}{date}. Stage when this page was written: <span class="{escape(stage)}">{escape(stage)}</span></p>'
    write_text(target, f"{head}{heading_end}{stage_html}{notes}{rest}")


def card_with_history(folder: Path, stage: str, overrides: Sequence[Statement], decisions: Sequence[Judged]) -> dict[str, Any]:
    """Return the card as JSON, with stage, overrides and decisions.

    Raises:
        BadInput: the version has no card.
    """
    entries = [{"who": override.who, "why": override.why, "time": override.time} for override in overrides]
    listed = {"overrides": entries, "decisions": [judged.to_json() for judged in decisions]}
    return {**json.loads(_read_card(folder / DATA)), "stage": stage, **listed}


def _read_card(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        raise BadInput(
            "this version has no card", where=str(path), remedy="it was registered by an older release; train a new version"
        ) from None
