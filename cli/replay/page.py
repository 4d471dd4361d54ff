"""The page of a replay, for people who do not know the code: the story, one time line, and each decision with its evidence."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from cli.replay.journal import MARKS, clock
from cli.replay.timeline import alert_spans, timeline
from robo_poet.report.gate_rows import HEAD, gate_row
from robo_poet.report.page import page
from robo_poet.report.sections import table
from serving.canary.status_page import bounds_text, margin_text, number_text, state_of

STYLE = """
body { max-width: 72rem; } svg { fill: none; } ol.acts { padding-left: 1.2rem; } ol.acts > li { margin: .9rem 0; }
ol.acts ul { list-style: none; padding-left: 0; margin: .3rem 0; } .time { color: var(--faint); font-variant-numeric: tabular-nums; }
.decision { border-left: 3px solid var(--line); padding-left: 1rem; margin: 1.2rem 0; } .decision h3 { margin: 0; }
"""
ACT_STYLES = {"failed": "fail", "stopped": "faint"}
HOW_TO_READ = """
<ul>
<li><b>Traffic</b>: which version answered the users. A new version starts with a part of them, as <i>canary</i>. The <i>champion</i> is the
version that all users get if there is no canary.</li>
<li><b>Live perplexity</b>: how hard a version finds what users type. Lower is better within one version; versions with other tokens have
other perplexities. A dot is one window of traffic; in a real service a window is a day. The band has the bounds of the estimate. The dashed
line is the limit of the rise over the baseline, which the first windows of a version make. A circle is a drift: in two windows in a row the
lower bound of the rise was above 10 %, and in one of them the rise was at least 20 %.</li>
<li><b>Versions</b>: when a version was canary and champion.</li>
<li><b>Alerts</b>: when Prometheus fired an alert; and when a model was trained.</li>
</ul>
"""


def replay_page(record: Mapping[str, Any]) -> str:
    """Return the page of a record (`cli.replay.record`). All data is escaped."""
    sections = [
        ("What happened", _story(record)),
        ("Time line", timeline(record) + HOW_TO_READ),
        ("Decisions about versions", _decisions(record)),
        ("Windows of traffic", _windows(record)),
        ("Alerts and retraining", _alerts(record)),
        ("Differences from a real service", _scale(record)),
    ]
    return page("A replay of the release loop", sections, style=STYLE, lead=_lead(record))


def _since(record: Mapping[str, Any], time: float | str) -> str:
    seconds = datetime.fromisoformat(time).timestamp() if isinstance(time, str) else time
    return clock(max(0.0, seconds - record["began"]))


def _lead(record: Mapping[str, Any]) -> str:
    minutes = clock(record["ended"] - record["began"])
    if record["stopped"]:
        badge, story = f'<span class="badge">{MARKS["stopped"]} stopped</span> {escape(record["error"])}', "The replay was stopped after"
    elif record["error"]:
        badge, story = f'<span class="badge fail">✗ an act failed</span> {escape(record["error"])}', "The replay ended after"
    else:
        badge = '<span class="badge ok">✓ all acts happened</span>'
        story = "Four versions of a small model were trained, released and watched on one machine in"
    return (
        f"<p>{badge}</p><p>{story} {minutes} (minutes and seconds). Users sent {record['asked']:,} requests; "
        f"{record['failed']:,} of them failed.</p>"
    )


def _story(record: Mapping[str, Any]) -> str:
    items = []
    for act in record["acts"]:
        events = "".join(
            f'<li><span class="time">{_since(record, event["ended"] or event["began"])}</span> {escape(event["text"])}'
            + (f': <span class="faint">{escape(event["result"])}</span>' if event["result"] else "")
            + "</li>"
            for event in act["events"]
        )
        mark = f'<span class="{ACT_STYLES.get(act["status"], "ok")}">{MARKS[act["status"]]}</span>'
        items.append(f"<li><b>{escape(act['title'])}</b> {mark}<br>{escape(act['description'])}<ul>{events}</ul></li>")
    return f'<ol class="acts">{"".join(items)}</ol>'


def _decisions(record: Mapping[str, Any]) -> str:
    parts = [
        "<p>Each entry of the registry's log. Evidence of a registration is what the gates measured; that of the canary judge is what it "
        "knew about the users.</p>"
    ]
    for decision in record["decisions"]:
        share = f", {decision['share']:.0%} of the users" if decision["share"] is not None else ""
        of = f"version {decision['version']}: " if decision["version"] else ""
        head = f"{_since(record, decision['time'])} {of}{decision['action']}{share}"
        text = f"<p>{escape(decision['why'])} <span class=faint>({escape(decision['who'])})</span></p>"
        unreadable = f"<p class=fail>The evidence cannot be read: {escape(decision['unreadable'])}</p>" if decision["unreadable"] else ""
        shown = unreadable + _evidence(decision["evidence"]) + _gates(decision["gates"])
        parts.append(f'<div class="decision"><h3>{escape(head)}</h3>{text}{shown}</div>')
    return "".join(parts)


def _gates(gates: Sequence[Mapping[str, Any]]) -> str:
    if not gates:
        return ""
    rows = table(HEAD, [gate_row(gate).cells for gate in gates])
    return f"<details><summary>evidence: {len(gates)} gates</summary>{rows}</details>"


def _evidence(evidence: Mapping[str, Any] | None) -> str:
    guardrails = (evidence or {}).get("evidence", {}).get("guardrails", {})
    measured = [finding for finding in guardrails.values() if finding["estimate"] is not None]
    rows = [
        (
            finding["label"], number_text(finding["unit"], finding["estimate"]), bounds_text(finding), margin_text(finding),
            str(finding["users"]), state_of(finding),
        )
        for finding in measured
    ]  # fmt: skip
    if not rows:
        return ""
    users = evidence["evidence"]["users"] if evidence else {}
    known = f"{users.get('canary', 0)} users of the new version, {users.get('champion', 0)} of the other"
    columns = ("measure of harm", "estimate", "bounds", "margin", "users", "verdict")
    return f"<details><summary>evidence: {known}</summary>{table(columns, rows)}</details>"


def _windows(record: Mapping[str, Any]) -> str:
    rows = []
    for window in record["windows"]:
        row = window["row"]
        rise = f"{row['rise']:+.0%}" if "rise" in row else ""
        bounds = f"{row['low']:+.0%} to {row['high']:+.0%}" if "low" in row else ""
        perplexity = f"{row['perplexity']:.1f}" if "perplexity" in row else ""
        verdict = f"{window['action'].replace('_', ' ')}: {'; '.join(window['reasons'])}" + (
            f"; likely cause: {window['cause']}" if window["cause"] else ""
        )
        rows.append((_since(record, window["end"]), str(window["version"]), str(row["users"]), perplexity, rise, bounds, verdict))
    columns = ("end", "version", "users", "perplexity", "rise over the baseline", "bounds", "verdict of the drift judge")
    return table(columns, rows) if rows else "<p>No window was judged.</p>"


def _alerts(record: Mapping[str, Any]) -> str:
    spans = sorted((begin, end, name) for name, times in record["alerts"].items() for begin, end in alert_spans(times))
    fired = [(_since(record, begin), f"{max(end - begin, 1):.0f} s", name) for begin, end, name in spans]
    parts = [table(("fired", "for", "alert"), fired) if fired else "<p>No alert fired.</p>"]
    parts.append("<p class=faint>Prometheus is asked once a second, so a shorter alert may be missing here and delivered below.</p>")
    if record["delivered"]:
        parts.append("<h3>Delivered to people</h3>")
        parts.append(table(("time", "message"), [(_since(record, message["time"]), message["title"]) for message in record["delivered"]]))
    for request in record["requests"]:
        cause = f"version {request['key']['version']}, likely cause: {request['key']['cause']}"
        runs = ", ".join(run["id"] for run in request["runs"])
        title = f"Request {request['number']} for a retraining"
        parts.append(f"<h3>{title}</h3><p>{escape(cause)}. {escape(request['why'])}. Runs: {escape(runs)}.</p>")
    return "".join(parts)


def _scale(record: Mapping[str, Any]) -> str:
    factor = f"1/{1 / record['factor']:.0f}"
    return (
        f"<p>The programs, the gates and the judges are those of a real service. Different are:</p><ul>"
        f"<li>The models are small and trained for some seconds, so they write poor text.</li>"
        f"<li>The users are simulated. They type passages of plays, and later of speeches, that no model was trained on.</li>"
        f"<li>A window of traffic takes seconds, not a day. All durations of the alert rules are multiplied by {factor}.</li>"
        f"<li>The canary policy has wider margins and fewer steps, because the users of some minutes are few.</li></ul>"
        f"<p class=faint>Settings: profiles/replay.yaml{escape(''.join(f', {setting}' for setting in record['changed']))}</p>"
    )
