"""The drift of a model for the operators' console: the newest verdict with its reasons, the history, and the requests for a retraining."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from monitoring.drift.history import Judged
from monitoring.drift.plot import history_plot
from monitoring.retraining.facts import ShownRequest
from robo_poet.commands import command
from robo_poet.judges.drift.judge import WORDS

PLOTTED, SHOWN = 90, 14  # newest windows in the plot, and in the table


def drift_line(judged: Sequence[Judged]) -> str:
    """Return one line about the newest window; says so if there is none."""
    if not judged:
        return "no window of live traffic is judged yet"
    newest = judged[-1]
    cause = f"; likely cause: {newest.cause}" if newest.cause else ""
    return f"live traffic of {newest.row['window']} (UTC): {WORDS[newest.action]}{cause}"


def drift_section(model: str, judged: Sequence[Judged], requests: Sequence[ShownRequest] | str) -> str:
    """Return the body of the page, as HTML without a style of its own.

    Args:
        judged: of all versions, oldest first.
        requests: all requests for a retraining of this model; or why they cannot be read.
    """
    if not judged:
        start = escape(command(f"drift watch --model {model}"))
        newest = f"<p class=lead>No window is judged yet.</p><p><b>to watch</b> {start}</p>"
    else:
        newest = _verdict(judged[-1]) + f"<section class=card>{history_plot(model, judged[-PLOTTED:])}</section>" + _windows(judged)
    return f"<h1>Drift of {escape(model)}</h1>{newest}{_requests(model, requests)}"


def _verdict(newest: Judged) -> str:
    lead = f"<b>{WORDS[newest.action]}</b> Version {newest.version}, window {escape(newest.row['window'])} (UTC)"
    lines = [("why", newest.reasons[0])]
    if newest.cause:
        lines.append(("likely cause", f"{newest.cause}: {newest.reasons[1]}"))
    text = "".join(f"<p><b>{label}</b> {escape(line)}</p>" for label, line in lines)
    return f"<p class=lead>{lead}</p>{text}{_slices(newest.evidence.get('slices', []))}"


def _slices(slices: Sequence[dict[str, Any]]) -> str:
    if not slices:
        return ""
    head = ("users with", "users", "share now", "share before", "share of the rise")
    rows = [
        (f"{row['dimension']} {row['value']}", str(row["users"]), f"{row['share']:.0%}", f"{row['before']:.0%}", f"{row['carried']:.0%}")
        for row in slices
    ]
    return "<h2>Groups of users that cause the rise</h2>" + _table(head, rows)


def _windows(judged: Sequence[Judged]) -> str:
    head = ("window (UTC)", "version", "users", "perplexity", "rise", "bounds", "verdict")
    rows = []
    for window in reversed(judged[-SHOWN:]):
        row, verdict = window.row, WORDS[window.action] + (f": {window.reasons[0]}" if window.action == "cannot_tell" else "")
        known = "rise" in row
        rows.append((
            row["window"], str(window.version), str(row["users"]), f"{row['perplexity']:.4g}" if "perplexity" in row else "–",
            f"{row['rise']:+.0%}" if known else "–", f"{row['low']:+.0%} to {row['high']:+.0%}" if known else "–", verdict,
        ))  # fmt: skip
    note = (
        "A drift needs consecutive windows whose lower bound is above the value of the policy, and in one of them an estimate at the limit "
        "(dashed). Each bound is one-sided."
    )
    return f"<h2>Newest windows</h2>{_table(head, rows)}<p class=faint>{note}</p>"


def _requests(model: str, requests: Sequence[ShownRequest] | str) -> str:
    title = "<h2>Requests for a retraining</h2>"
    if isinstance(requests, str):
        return f"{title}<p>They cannot be read: {escape(requests)}</p>"
    if not requests:
        return f"{title}<p>No alert has asked for a retraining.</p>"
    head = ("N", "asked (UTC)", "version", "cause", "state", "runs", "hours", "reason")
    rows = []
    for request, _, words, reason in reversed(requests):
        asked = datetime.fromtimestamp(request.asked, UTC).strftime("%Y-%m-%d %H:%M")
        hours = sum(run.hours for run in request.runs)
        rows.append((
            str(request.number), asked, str(request.key.version), request.key.cause, words, str(len(request.runs)), f"{hours:.2f}", reason,
        ))  # fmt: skip
    waits = next((request.number for request, step, _, _ in requests if step and step.action == "wait_for_approval"), 0)
    approval = command(f"retrain approve {waits} --model {model} --why 'your reason'") if waits else ""
    return title + _table(head, rows) + (f"<p><b>to approve</b> {escape(approval)}</p>" if waits else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that scrolls on a narrow screen."""
    heads = "".join(f"<th>{escape(text)}" for text in head)
    lines = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<div class=wide><table><tr>{heads}</tr>{lines}</table></div>"
