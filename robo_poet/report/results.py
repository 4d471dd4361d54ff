"""Sections of a report: verdict of the gates, metrics with intervals and bands, samples, and lineage."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from robo_poet.judges.metrics import interval_text, metric_name, metric_text, ordered
from robo_poet.report.gates import HEAD, PASS_BY_VALUE, gate_row


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table; all cells are escaped."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def gates_section(decision: Mapping[str, Any]) -> str:
    """Return the verdict, its reason and the table of gates."""
    rows = [gate_row(gate) for gate in decision["gates"]]
    verdict, reason = escape(decision["verdict"]), f": {escape(decision['reason'])}" if decision.get("reason") else ""
    passed = sum(gate["verdict"] == "pass" for gate in decision["gates"])
    by_value = sum(row.verdict == PASS_BY_VALUE for row in rows)
    summary = f'<p><span class="badge {verdict}">{verdict}</span> {passed} of {len(rows)} gates passed{reason}.</p>'
    if by_value:
        summary += f"<p>{by_value} of them pass by value: the measured value keeps the bound, but its interval reaches beyond it.</p>"
    return summary + table(HEAD, [row.cells for row in rows])


def metrics_section(card: Mapping[str, Any]) -> str:
    """Return all metrics with interval, human reference, and band if one is defined."""
    human = card.get("people", {})
    rows = [
        [
            metric_name(name), metric_text(name, value), interval_text(name, card["intervals"].get(name)),
            metric_text(name, human[name]) if human.get(name) is not None else "", card["bands"].get(name, ""),
        ]
        for name, value in ordered(card["metrics"])
    ]  # fmt: skip
    on = card["measured_on"]
    counts = [f"over {on['units']:,} {on['unit']}s"] if on.get("units") else []
    if on.get("text_units"):
        counts.append(f"those of what it wrote over the {on['text_units']:,} that its {on['continuations']:,} prompts are from")
    how = f"Intervals are of 95 %{', ' if counts else ''}{'; '.join(counts)}."
    note = f"<p>On {on['documents']:,} held-out documents, {on['tokens']:,} tokens. {how} People: what really follows the prompts.</p>"
    return note + table(["metric", "model", "95 % interval", "people", "band"], rows)


def samples_section(samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return random samples, then the best and the worst samples by some metric, all unedited."""
    if not samples["drawn"]:
        return "<p>No sample: no held-out document was long enough to prompt with.</p>"
    sections = ["<p>The prompt, in grey, is held-out text. Drawn by chance, not chosen:</p>", *map(_sample, samples["drawn"])]
    for name, heading in (("good", "Closest to its prompt"), ("bad", "The worst that a metric found")):
        if samples.get(name):
            sections.append(f"<h3>{heading}</h3>")
            sections += [_picked(sample) for sample in samples[name]]
    return "".join(sections)


def _sample(sample: Mapping[str, Any]) -> str:
    return f'<pre><span class="faint">{escape(sample["prompt"])}</span>{escape(sample["text"])}</pre>'


def _picked(sample: Mapping[str, Any]) -> str:
    why = ", ".join(f"{metric_name(metric)} {metric_text(metric, value)}" for metric, value in sample["picked_by"].items())
    return f'<p class="faint">{escape(why)}</p>{_sample(sample)}'


def lineage_section(lineage: Mapping[str, Any]) -> str:
    """Return source, settings and code that the model was trained with. Long lists are folded."""
    rows = [[name, _leaf(value)] for name, value in _leaves(lineage)]
    main_rows = [row for row in rows if not row[0].startswith(("settings.", "code."))]
    sections = [table(["what", "value"], main_rows)] if main_rows else []
    for name in ("settings", "code"):
        group_rows = [[key.removeprefix(f"{name}."), value] for key, value in rows if key.startswith(f"{name}.")]
        if group_rows:
            sections.append(f"<details><summary>{name}, {len(group_rows)} values</summary>{table([name, 'value'], group_rows)}</details>")
    return "".join(sections)


def _leaves(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{prefix}.{key}" if prefix else str(key))]
    return [(prefix, value)]


def _leaf(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
