"""Sections of a report: the gates' verdict, the metrics with their bands, the samples."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from robo_poet.report.names import metric_name, metric_text, ordered


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of escaped cells."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def gates_section(decision: Mapping[str, Any]) -> str:
    """The verdict, why, and each gate with its value and bound."""
    rows = [
        [metric_name(gate["metric"]), metric_text(gate["metric"], gate["value"]), gate["bound"], gate["verdict"]]
        for gate in decision["gates"]
    ]  # fmt: skip
    verdict, why = escape(decision["verdict"]), escape(decision.get("reason", ""))
    said = f'<p><span class="{verdict}">{verdict}</span>{": " + why if why else ""}</p>'
    return said + table(["gate", "value", "bound", "verdict"], rows)


def metrics_section(evaluation: Mapping[str, Any]) -> str:
    """All metrics, with the band where one is defined."""
    rows = [
        [metric_name(name), metric_text(name, value), evaluation["bands"].get(name, "")]
        for name, value in ordered(evaluation["metrics"])
    ]  # fmt: skip
    note = f"<p>On {evaluation['documents']:,} held-out documents, {evaluation['tokens']:,} tokens.</p>"
    return note + table(["metric", "value", "band"], rows)


def samples_section(samples: Sequence[Mapping[str, str]]) -> str:
    """Each sample with its prompt set apart, line breaks kept, shown as it came out."""
    if not samples:
        return "<p>No sample: no held-out document was long enough to prompt with.</p>"
    return "".join(
        f'<pre><span class="faint">{escape(sample["prompt"])}</span>{escape(sample["text"])}</pre>' for sample in samples
    )  # fmt: skip


def lineage_section(lineage: Mapping[str, Any]) -> str:
    """Source, settings and code that the model was made from; long lists are folded away."""
    rows = [[name, _leaf(value)] for name, value in _leaves(lineage)]
    first = [row for row in rows if not row[0].startswith(("settings.", "code."))]
    parts = [table(["what", "value"], first)] if first else []
    for name in ("settings", "code"):
        inner = [[key.removeprefix(f"{name}."), value] for key, value in rows if key.startswith(f"{name}.")]
        if inner:
            parts.append(f"<details><summary>{name}, {len(inner)} values</summary>{table([name, 'value'], inner)}</details>")
    return "".join(parts)


def _leaves(value: Any, prefix: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{prefix}.{key}" if prefix else str(key))]
    return [(prefix, value)]


def _leaf(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
