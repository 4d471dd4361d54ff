"""Write the model card as HTML, JSON and Markdown: verdict, metrics, slices, bias, safety, samples, training curve, data, lineage."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.write_report.component import write_report
from robo_poet.atomic import write_text
from robo_poet.corpus.curation.dropped import count_reasons
from robo_poet.errors import BadInput, parse_object
from robo_poet.evaluation.completions import read_continuations
from robo_poet.judges.metrics import metric_name, metric_text, ordered
from robo_poet.report.card import make_card
from robo_poet.report.corpus_section import dropped_section, statistics_section
from robo_poet.report.distributions import data_drift, data_skew
from robo_poet.report.first_screen import STYLE as FIRST_STYLE
from robo_poet.report.first_screen import first_screen, model_name
from robo_poet.report.forest import STYLE
from robo_poet.report.gate_rows import HEAD, QUESTION_HEAD, gate_row, question_rows
from robo_poet.report.page import page
from robo_poet.report.scrubbing_section import scrubbing_section
from robo_poet.report.sections import (
    bias_section,
    champion_section,
    gates_section,
    limits_section,
    lineage_section,
    metrics_section,
    safety_section,
    samples_section,
    slices_section,
)
from robo_poet.report.training_curve import training_curve
from robo_poet.step.program import Call, program


def markdown_summary(card: Mapping[str, Any]) -> str:
    """Return the card as Markdown: the verdict, a table of gates, the open questions, a table of metrics, and the samples."""
    lines = [f"# {card['verdict'].capitalize()}", "", f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|"]
    lines += [f"| {' | '.join(map(_markdown_cell, gate_row(gate).cells))} |" for gate in card["gates"]]
    if questions := question_rows(card["gates"]):
        lines += ["", f"| {' | '.join(QUESTION_HEAD)} |", "|---" * len(QUESTION_HEAD) + "|"]
        lines += [f"| {' | '.join(map(_markdown_cell, row))} |" for row in questions]
    lines += ["", "| metric | value | |", "|---|---|---|"]
    for name, value in ordered(card["metrics"]):
        lines.append(f"| {metric_name(name)} | {metric_text(name, value)} | {card['bands'].get(name, '')} |")
    for sample in card["samples"]["drawn"]:
        quoted = (sample["prompt"] + sample["text"]).replace("\n", "\n    ")
        lines += ["", f"    {quoted}"]
    return "\n".join(lines) + "\n"


def _markdown_cell(text: str) -> str:
    """Escape a cell of a Markdown table. Names of slices come from the data and may hold any character."""
    return text.replace("|", "\\|").replace("\n", " ")


FOLDED = ("Slices", "Metrics", "Training", "Data", "Scrubbing", "Lineage")  # sections that are closed at first
JSON_INPUTS = (
    "evaluation",
    "text_metrics",
    "model_audit",
    "slices",
    "comparison",
    "decision",
    "statistics",
    "recall",
    "drift",
    "prompt_skew",
)


def work(call: Call) -> None:
    history = [json.loads(line) for line in call.inputs["history"].read_text("utf-8").splitlines()]
    card = make_card(
        **{name: _read_json(call.inputs[name]) for name in JSON_INPUTS}, history=history,
        lineage=parse_object(call.parameters["lineage"], where="--lineage"), continuations=read_continuations(call.inputs["continuations"]),
        champion_continuations=read_continuations(call.inputs["champion_continuations"]), dropped=count_reasons(call.inputs["dropped"]),
    )  # fmt: skip
    name = model_name(card)
    sections = [
        ("Intended use", "".join(f"<p>{sentence}</p>" for sentence in card["about"])),
        ("Verdict", gates_section(card)),
        ("Limits", limits_section(card["limits"])),
        ("Comparison with the champion", champion_section(card)),
        ("Samples", samples_section(card["samples"])),
        ("Safety", safety_section(card)),
        ("Bias", bias_section(card["bias"])),
        ("Slices", slices_section(card["slices"])),
        ("Metrics", metrics_section(card)),
        ("Training", training_curve(history)),
        (
            "Data",
            statistics_section(card["data"])
            + dropped_section(card["dropped"])
            + data_drift(card["drift"])
            + data_skew(card["prompt_skew"]),
        ),
        ("Scrubbing", scrubbing_section(card["scrubbing"])),
        ("Lineage", lineage_section(card["lineage"])),
    ]
    write_text(
        call.outputs["report"],
        page(
            f"Model card of {name}" if name else "Model card", sections, style=STYLE + FIRST_STYLE, lead=first_screen(card), folded=FOLDED
        ),
    )
    write_text(call.outputs["card"], json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")
    if "summary" in call.outputs:
        write_text(call.outputs["summary"], markdown_summary(card))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BadInput(f"not JSON ({error})", where=str(path), remedy="give the output of the step that writes this artifact") from None


def main(argv: Sequence[str] | None = None) -> int:
    return program(write_report, work, argv)


if __name__ == "__main__":
    sys.exit(main())
