"""Measure the model on slices of the test split with TFMA, with intervals over works, and compare it with the champion."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from components.slice_metrics.analysis import analyse, check_values, load_tfma
from components.slice_metrics.component import slice_metrics
from components.slice_metrics.page import sections
from components.slice_metrics.records import record, summary
from components.slice_metrics.slicing import LeftOut, read_tables, slices
from robo_poet.atomic import write_text
from robo_poet.evaluation.step_metrics import show_metrics
from robo_poet.judges.intervals import CONFIDENCE
from robo_poet.report.forest import STYLE
from robo_poet.report.page import page
from robo_poet.settings.evaluation import SlicesSettings
from robo_poet.step.program import Call, program


def work(call: Call) -> None:
    """Write the outputs `slices`, and `page` and `metrics` if requested."""
    settings, seed = cast(SlicesSettings, call.settings), int(call.parameters["seed"])
    ours, theirs = read_tables(call.inputs["measured"], call.inputs["champion_measured"])
    models = {"model": ours} | ({"champion": theirs} if theirs is not None else {})
    measured_slices, left_out = slices(
        ours, [*((column,) for column in settings.columns), *map(sorted, settings.crosses)], settings.max_values
    )
    notes = [_left_out_note(dimension, settings.max_values) for dimension in left_out]
    for note in notes:
        call.warn(note)
    call.progress(0.01, 1, "loading TensorFlow Model Analysis")
    load_tfma()
    call.progress(0.4, 1, f"TensorFlow Model Analysis computes {len(measured_slices)} slices of {len(ours)} documents")
    with TemporaryDirectory() as folder:
        values = analyse(models, measured_slices, Path(folder))
    checked_values = {name: check_values(name, documents, measured_slices, values[name]) for name, documents in models.items()}
    records = []
    for number, slice_ in enumerate(measured_slices, start=1):
        records.append(record(slice_, ours, theirs, checked_values["model"], checked_values.get("champion", {}), settings, seed))
        call.progress(0.6 + 0.4 * number / len(measured_slices), 1.01, f"intervals of {number} of {len(measured_slices)} slices")

    metrics = summary(records, settings.min_documents)
    artifact = {
        "slices": records, "metrics": metrics, "left_out": [asdict(dimension) for dimension in left_out],
        "confidence": CONFIDENCE, "min_documents": settings.min_documents, "min_works": settings.min_works,
    }  # fmt: skip
    write_text(call.outputs["slices"], json.dumps(artifact, indent=1, ensure_ascii=False, allow_nan=False))
    if "page" in call.outputs:
        write_text(call.outputs["page"], page("Slices", sections(artifact, notes), style=STYLE))
    show_metrics(call, metrics)
    call.progress(1, 1, f"{len(measured_slices) - 1} slices, {metrics['slices_judged']} with at least {settings.min_documents} documents")


def _left_out_note(dimension: LeftOut, most: int) -> str:
    columns = " and ".join(dimension.columns)
    return (
        f"slices by {columns}: only the {most} largest slices are measured; "
        f"{dimension.slices:,} slices with {dimension.documents:,} documents are left out"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(slice_metrics, work, argv, settings=SlicesSettings)


if __name__ == "__main__":
    sys.exit(main())
