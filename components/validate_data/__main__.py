"""Measure the corpus, check it against limits and a schema, and write a page. A failed check stops the run after the page is written."""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from components.validate_data.checks import anomalies, check_statistics, check_value, length_divergence
from components.validate_data.component import validate_data
from components.validate_data.corpus_statistics import measure
from robo_poet.atomic import write_text
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import count_documents, read_documents
from robo_poet.errors import BadInput
from robo_poet.report.corpus_section import statistics_section
from robo_poet.report.page import page
from robo_poet.settings.data import ValidateSettings
from robo_poet.step.program import Call, program


def work(call: Call) -> None:
    """Write the outputs `statistics`, and `page` and `metrics` if requested.

    Raises:
        BadInput: the corpus is empty, or a check whose setting is `fail` failed.
    """
    settings: ValidateSettings = call.settings
    corpus = call.inputs["corpus"]
    total = count_documents(corpus)
    if not total:
        raise BadInput("the corpus has no documents", where=str(corpus), remedy="check the source and run ingest again")

    def counted_documents() -> Iterator[Document]:
        for number, document in enumerate(read_documents(corpus), start=1):
            call.progress(number, total + 1, f"{number} of {total} documents")
            yield document

    measured = measure(counted_documents(), settings.languages, call.parameters["seed"])
    violations = [] if settings.on_anomalies == "ignore" else anomalies(measured.features)
    checks = check_statistics(measured, settings)
    if settings.on_skew != "ignore":
        divergence = length_divergence(measured.features)
        checks.append(check_value("length_divergence", divergence, None, settings.max_split_divergence, settings.on_skew))
    statistics = {
        "documents": measured.documents,
        "megabytes": round(measured.megabytes, 3),
        "splits": measured.splits,
        "checks": [_finite(asdict(result)) for result in checks],
        "sources": measured.sources,
        "rights": measured.rights,
        "length_histogram": measured.length_histogram,
        "anomalies": violations,
    }
    if "page" in call.outputs:
        write_text(call.outputs["page"], page("Corpus", [("Corpus", statistics_section(statistics))]))
    for result in checks:
        if result.verdict == "warn":
            call.warn(str(result))
    violation_texts = [f"{violation['feature']}: {violation['what']}" for violation in violations]
    failed = [str(result) for result in checks if result.verdict == "fail"] + (violation_texts if settings.on_anomalies == "fail" else [])
    if failed:
        raise BadInput(
            " | ".join(failed), where="corpus", remedy="correct the texts, or change the limits in section `validation` of the profile"
        )
    for anomaly in violation_texts:
        call.warn(anomaly)
    write_text(call.outputs["statistics"], json.dumps(statistics, indent=1, ensure_ascii=False, allow_nan=False))
    metrics = {"documents": measured.documents, "anomalies": len(violations)} | {
        result.name: round(result.value, 4) for result in checks if math.isfinite(result.value)
    }
    if "metrics" in call.outputs:
        call.describe("metrics", **metrics)
        write_text(call.outputs["metrics"], json.dumps(metrics))
    call.progress(1, 1, f"{len(checks)} checks, {len(violations)} anomalies")


def _finite(check_fields: dict[str, Any]) -> dict[str, Any]:
    """Return a check with its value rounded; None for a non-finite value, which JSON cannot express."""
    return check_fields | {"value": round(check_fields["value"], 6) if math.isfinite(check_fields["value"]) else None}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(validate_data, work, argv, settings=ValidateSettings)


if __name__ == "__main__":
    sys.exit(main())
