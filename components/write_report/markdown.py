"""The verdict and the metrics as Markdown, for Kubeflow's UI."""

from collections.abc import Mapping
from typing import Any

from robo_poet.report.names import metric_name, metric_text, ordered


def summary(evaluation: Mapping[str, Any], decision: Mapping[str, Any]) -> str:
    """A heading, a table of gates, a table of metrics and the samples."""
    lines = [f"# {decision['verdict'].capitalize()}", "", "| gate | value | bound | verdict |", "|---|---|---|---|"]
    for gate in decision["gates"]:
        value = metric_text(gate["metric"], gate["value"])
        lines.append(f"| {metric_name(gate['metric'])} | {value} | {gate['bound']} | {gate['verdict']} |")
    lines += ["", "| metric | value | |", "|---|---|---|"]
    for name, value in ordered(evaluation["metrics"]):
        lines.append(f"| {metric_name(name)} | {metric_text(name, value)} | {evaluation['bands'].get(name, '')} |")
    for sample in evaluation["samples"]:
        quoted = (sample["prompt"] + sample["text"]).replace("\n", "\n    ")
        lines += ["", f"    {quoted}"]
    return "\n".join(lines) + "\n"
