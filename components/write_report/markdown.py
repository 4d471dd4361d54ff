"""The verdict and the metrics as Markdown, for Kubeflow's UI."""

from collections.abc import Mapping
from typing import Any

from robo_poet.judges.metrics import metric_name, metric_text, ordered
from robo_poet.report.gates import HEAD, gate_row


def summary(card: Mapping[str, Any]) -> str:
    """A heading, a table of gates, a table of metrics and the samples."""
    lines = [f"# {card['verdict'].capitalize()}", "", f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    lines += [f"| {' | '.join(map(_cell, gate_row(gate).cells))} |" for gate in card["gates"]]
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
