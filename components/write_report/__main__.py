"""Write the report of a training: verdict and gates, metrics, samples, training curve, corpus statistics."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.write_report.markdown import summary
from robo_poet.atomic import write_text
from robo_poet.errors import BadInput
from robo_poet.json_input import parse_object
from robo_poet.report.curves import curves_section
from robo_poet.report.page import page
from robo_poet.report.results import gates_section, lineage_section, metrics_section, samples_section
from robo_poet.report.statistics import statistics_section
from robo_poet.step import Call, program


def work(call: Call) -> None:
    statistics, evaluation, decision = (_read(call.inputs[name]) for name in ("statistics", "evaluation", "decision"))
    history = [json.loads(line) for line in call.inputs["history"].read_text("utf-8").splitlines()]
    sections = [
        ("Verdict", gates_section(decision)),
        ("Metrics", metrics_section(evaluation)),
        ("What it writes", samples_section(evaluation["samples"])),
        ("Training", curves_section(history)),
        ("Corpus", statistics_section(statistics)),
        ("Made from", lineage_section(parse_object(call.parameters["lineage"], where="--lineage"))),
    ]
    write_text(call.outputs["report"], page("A poet's report", sections))
    if "summary" in call.outputs:
        write_text(call.outputs["summary"], summary(evaluation, decision))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BadInput(f"not JSON ({error})", where=str(path), remedy="give what the producing step wrote") from None


def main(argv: Sequence[str] | None = None) -> int:
    return program(
        "write_report", work, argv, description=__doc__, inputs=["statistics", "history", "evaluation", "decision"],
        outputs=["report"], views=["summary"], parameters={"lineage": str},
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
