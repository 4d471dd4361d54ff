"""Judge a window of live traffic by the drift judge, and compare it with the first windows of its version by Evidently."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from html import escape

from components.judge_drift.component import judge_drift
from monitoring.drift.comparison import compare_windows
from monitoring.drift.history import Judged
from monitoring.drift.report import judge_window
from monitoring.drift.traffic import Traffic, read_traffic
from monitoring.drift.windows import Period
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.evaluation.step_metrics import show_metrics
from robo_poet.settings.monitoring import DriftSettings
from robo_poet.step.program import Call, program

SHOWN = ("users", "unscored", "perplexity", "rise", "low", "high")  # numbers of a window in the Kubeflow UI


def work(call: Call) -> None:
    """Write the verdict and the page, and set the result `action`."""
    settings: DriftSettings = call.settings
    traffic, snapshot = read_traffic(call.inputs["traffic"])
    judged = _judge(traffic, snapshot, settings)
    compared = None
    try:
        comparison = compare_windows(judged, traffic.windows[-1:], traffic.reference)
        compared, html = comparison.data, comparison.html
    except BadInput as error:  # too few users on a side. The verdict does not depend on the comparison
        html = _without_comparison(judged, error.what)
    verdict = {name: value for name, value in asdict(judged).items() if name != "judged"}  # the same traffic gives the same bytes
    verdict |= {"model": traffic.model, "comparison": compared}
    write_text(call.outputs["verdict"], json.dumps(verdict, indent=1, sort_keys=True, allow_nan=False) + "\n")
    if "page" in call.outputs:
        write_text(call.outputs["page"], html)
    show_metrics(call, {name: judged.row[name] for name in SHOWN if name in judged.row})
    call.result("action", judged.action)
    call.progress(1, 1, f"{judged.action.replace('_', ' ')}: {judged.reasons[0]}")


def _judge(traffic: Traffic, snapshot: str, settings: DriftSettings) -> Judged:
    if traffic.windows:
        return judge_window(
            traffic.version, traffic.digest, traffic.windows, traffic.baseline, settings, traffic.heldout,
            snapshot=snapshot, judged=traffic.end,
        )  # fmt: skip
    row = {"window": str(Period.since(traffic.start, settings.window_seconds)), "users": 0, "unscored": 0.0}
    return Judged(
        traffic.version, traffic.digest, "", traffic.start, traffic.end, "", traffic.end, row, "cannot_tell", [traffic.doubt], "", {}
    )


def _without_comparison(judged: Judged, why: str) -> str:
    lines = (
        f"Window {judged.row['window']} of version {judged.version}",
        f"Verdict of the drift judge: {judged.action.replace('_', ' ')}. {judged.reasons[0]}.",
        f"No comparison by Evidently: {why}.",
    )
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<!doctype html><meta charset="utf-8"><title>Drift</title><div style="font: 16px sans-serif; margin: 1rem 2rem">{body}</div>\n'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(judge_drift, work, argv, settings=DriftSettings)


if __name__ == "__main__":
    sys.exit(main())
