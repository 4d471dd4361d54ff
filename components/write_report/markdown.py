"""The verdict and the metrics as Markdown, for Kubeflow's UI."""

from collections.abc import Mapping
from typing import Any

from robo_poet.report.names import metric_name, metric_text, ordered
from robo_poet.report.results import gate_name, gate_texts, gate_verdict


def summary(card: Mapping[str, Any]) -> str:
    """A heading, a table of gates, a table of metrics and the samples."""
    lines = [f"# {card['verdict'].capitalize()}", "", "| gate | value | 95 % interval | bound | verdict |", "|---|---|---|---|---|"]
    for gate in card["gates"]:
        value, limits = gate_texts(gate)
        lines.append(f"| {_cell(gate_name(gate))} | {value} | {limits} | {gate['bound']} | {gate_verdict(gate)} |")
    lines += ["", "| metric | value | |", "|---|---|---|"]
    for name, value in ordered(card["metrics"]):
        lines.append(f"| {metric_name(name)} | {metric_text(name, value)} | {card['bands'].get(name, '')} |")
    for sample in card["samples"]["drawn"]:
        quoted = (sample["prompt"] + sample["text"]).replace("\n", "\n    ")
        lines += ["", f"    {quoted}"]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """The name of a slice comes from the data."""
    return text.replace("|", "\\|").replace("\n", " ")
