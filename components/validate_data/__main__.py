"""Measure the corpus, check it against limits, a schema, the champion's corpus and prompts, and write a page.

A failed check stops the run after the page is written.
"""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from components.validate_data.baseline import Baseline, NoBaseline, find_baseline
from components.validate_data.checks import Check, check_statistics, check_value, outside_documents
from components.validate_data.component import validate_data
from components.validate_data.corpus_statistics import measure
from components.validate_data.distributed_statistics import DistributedStatistics
from components.validate_data.distribution_page import distribution_charts
from components.validate_data.drift import Distance, distances, drift, skew
from components.validate_data.findings import anomaly_findings, check_finding, distance_finding
from components.validate_data.passages import Passages
from components.validate_data.schema import NAMED, SchemaViolations, TfdvStatistics, anomalies, read_schema
from robo_poet.atomic import write_text
from robo_poet.commands import command
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import count_documents, read_documents
from robo_poet.distributed.run import distributed
from robo_poet.errors import BadInput
from robo_poet.features.distributions import Columns, Distributions, FeatureCounts
from robo_poet.features.features import FEATURES, VERSION, MeasureDocuments, measures_of
from robo_poet.features.prompt_snapshot import PromptSnapshot, parse_snapshot
from robo_poet.report.corpus_section import statistics_section
from robo_poet.report.distributions import STYLE, distributions_section, drift_section, findings_section, prompts_section, skew_section
from robo_poet.report.page import page
from robo_poet.settings.beam import DASK, PLAIN, BeamSettings
from robo_poet.settings.data import ValidateSettings
from robo_poet.step.program import Call, parse_settings, program

SETTING = "validation.prompt_snapshot"
# With these, the step sums TFDV's statistics. Beam's Dask runner merges elements in TFDV's combiners as accumulators, and fails
WITHOUT_TFDV = (PLAIN, DASK)
IGNORED = "the profile ignores drift (validation.on_drift)"


class Corpora:
    """What is collected about a corpus while its documents are read once."""

    def __init__(self, schema: Any, tfdv: TfdvStatistics | DistributedStatistics | None) -> None:
        self.all = Distributions(examples=NAMED)
        self.splits = {split: Distributions(["characters"]) for split in ("train", "test")}
        self.violations = SchemaViolations(schema)
        self.tfdv = tfdv

    def add(self, ids: Sequence[str], columns: Columns) -> None:
        """Add a batch of documents."""
        self.all.add(ids, columns)
        self.violations.add(ids, columns)
        for name, distributions in self.splits.items():
            lengths = [length for length, split in zip(columns["characters"], columns["split"], strict=True) if split == name]
            distributions.add(lengths, {"characters": lengths})
        if self.tfdv:
            self.tfdv.add(columns)

    def length_divergence(self) -> float:
        """Return the Jensen-Shannon divergence of document lengths between train and test, in [0, 1]; NaN if one of them is empty."""
        train, test = (FeatureCounts(split.documents, split.bins()) for split in self.splits.values())
        if not train.documents or not test.documents:
            return math.nan
        return distances(train, test, ["characters"])["characters"]


def work(call: Call) -> None:
    """Write the outputs `statistics`, `drift` and `prompt_skew`, and `page` and `metrics` if requested.

    Raises:
        BadInput: the corpus is empty, the schema, the baseline or the prompts cannot be read, or a check whose setting is `fail` failed.
    """
    settings: ValidateSettings = call.settings
    corpus = call.inputs["corpus"]
    beam = parse_settings(BeamSettings, call.parameters["beam"], "--beam")
    schema = read_schema(call.parameters["schema"], "schema")
    baseline, no_baseline = _baseline(call)  # before the documents are read: a damaged one is reported at once
    snapshot = _snapshot(call)
    passages = Passages(call.parameters["seed"], snapshot.prompts) if snapshot else None
    total = count_documents(corpus)
    if not total:
        raise BadInput("the corpus has no documents", where=str(corpus), remedy="check the source and run ingest again")

    def counted_documents() -> Iterator[Document]:
        for number, document in enumerate(read_documents(corpus), start=1):
            call.progress(number, total + 1, f"{number} of {total} documents")
            if passages:
                passages.add(document)
            yield document

    with distributed(beam, call.outputs["statistics"].parent, call.parts) as runs:
        with_tfdv = settings.on_anomalies != "ignore"
        tfdv = (DistributedStatistics(runs) if beam.runner not in WITHOUT_TFDV else TfdvStatistics()) if with_tfdv else None
        collected = Corpora(schema, tfdv)
        # without a runner, the corpus is read once
        measures = None if runs.plain else measures_of(runs.run(MeasureDocuments(), runs.shards(corpus)))
        measured = measure(counted_documents(), settings.languages, call.parameters["seed"], collected.add, measures)
        violations = anomalies(tfdv.proto(), schema) if tfdv else []
    checks = check_statistics(measured, settings)
    if settings.on_skew != "ignore":
        divergence = collected.length_divergence()
        checks.append(check_value("length_divergence", divergence, None, settings.max_split_divergence, settings.on_skew))
    distributions = FeatureCounts(measured.documents, collected.all.bins())
    drifts = drift(distributions, baseline.corpus, schema, settings) if baseline else []
    in_corpus = passages.counts() if passages else None
    if in_corpus and not in_corpus.documents:
        raise BadInput("the training split has no text to compare with prompts", where=str(corpus), remedy=f"set {SETTING} to nothing")
    skews = skew(snapshot.prompts, in_corpus, schema, settings) if snapshot and in_corpus else []
    statistics = {
        "documents": measured.documents,
        "megabytes": round(measured.megabytes, 3),
        "splits": measured.splits,
        "checks": [_finite(asdict(result)) for result in checks],
        "sources": measured.sources,
        "rights": measured.rights,
        "length_histogram": measured.length_histogram,
        "anomalies": violations,
        "features": VERSION,
        "distributions": distributions.bins,
    }
    compared = _drift_json(baseline, IGNORED if settings.on_drift == "ignore" else no_baseline, drifts)
    skewed = _skew_json(settings.prompt_snapshot, snapshot, in_corpus, skews)
    findings = [
        *(check_finding(result, outside_documents(result, collected.all, settings.languages)) for result in checks),
        *anomaly_findings(violations, collected.violations.found, settings.on_anomalies),
        *(distance_finding(row, collected.all.examples(row.feature, row.bin) if row.verdict in ("warn", "fail") else []) for row in drifts),
        *(distance_finding(row) for row in skews),
    ]
    findings = [finding for finding in findings if finding.verdict in ("warn", "fail")]
    if "page" in call.outputs:
        charts = distribution_charts(distributions, baseline.corpus if baseline else None, drifts)
        sections = [
            ("Findings", findings_section([asdict(finding) for finding in findings])),
            ("Drift", drift_section(compared)),
            ("Prompts", skew_section(skewed)),
            ("Corpus", statistics_section(statistics)),
            ("Distributions", distributions_section(charts, compared["baseline"])),
        ]
        if snapshot and in_corpus:
            charts = distribution_charts(snapshot.prompts, in_corpus, skews)
            sections.append(("Distributions of prompts", prompts_section(charts)))
        write_text(call.outputs["page"], page("Corpus checks", sections, style=STYLE))
    for finding in findings:
        if finding.verdict == "warn":
            call.warn(str(finding))
    if no_baseline:
        call.warn(f"the corpus is not compared with the champion's: {no_baseline}")
    if failed := [str(finding) for finding in findings if finding.verdict == "fail"]:
        raise BadInput(
            " | ".join(failed), where="corpus", remedy="correct the texts, or change the limits in section `validation` of the profile"
        )
    write_text(call.outputs["statistics"], _json(statistics))
    write_text(call.outputs["drift"], _json(compared))
    write_text(call.outputs["prompt_skew"], _json(skewed))
    _write_metrics(call, measured.documents, len(violations), checks, drifts, skews)
    against = (
        f"{_beyond(drifts)} of {len(drifts)} features drifted from version {baseline.version}" if baseline else "no corpus to compare with"
    )
    if snapshot:
        against += f", {_beyond(skews)} of {len(skews)} features of the prompts are skewed"
    call.progress(1, 1, f"{len(checks)} checks, {len(violations)} anomalies, {against}")


def _baseline(call: Call) -> tuple[Baseline | None, str]:
    """Return the baseline of the drift, and why a champion cannot be compared ('' if it can be, or if there is none).

    If the profile ignores drift, the registry is not read.

    Raises:
        BadInput: the registry was changed, or the comparison is impossible and the profile stops at drift.
    """
    if call.settings.on_drift == "ignore":
        return None, ""
    try:
        return find_baseline(call.parameters["registry"], call.parameters["model_name"], call.parameters["champion"]), ""
    except NoBaseline as error:
        if call.settings.on_drift == "fail":
            raise
        return None, str(error)


def _snapshot(call: Call) -> PromptSnapshot | None:
    """Return the snapshot that the run names, None if it names none or the profile ignores the skew.

    Raises:
        BadInput: the settings name a snapshot that the run does not carry, or its text has another digest or another form.
    """
    digest, text = call.settings.prompt_snapshot, call.parameters["prompts"]
    if not digest or call.settings.on_prompt_skew == "ignore":
        return None
    if not text:
        remedy = f"submit it with {command('run')}, which reads the snapshot"
        raise BadInput(f"the run names the snapshot of prompts {digest[:12]}, but does not carry it", where=SETTING, remedy=remedy)
    return parse_snapshot(text, digest, f"snapshot of prompts {digest[:12]}")


def _drift_json(baseline: Baseline | None, reason: str, drifts: Sequence[Distance]) -> dict[str, Any]:
    """Return the output `drift`: what was compared, and one row per feature."""
    if baseline is None:
        reason = reason or "no champion yet, so there is no corpus to compare with"
        return {"state": "none", "baseline": None, "reason": reason, "features": []}
    known = {"version": baseline.version, "digest": baseline.digest, "documents": baseline.corpus.documents}
    return {"state": "measured", "baseline": known, "reason": "", "features": _rows(drifts)}


def _skew_json(digest: str, snapshot: PromptSnapshot | None, passages: FeatureCounts | None, skews: Sequence[Distance]) -> dict[str, Any]:
    """Return the output `prompt_skew`: what was compared, and one row per feature."""
    if snapshot is None or passages is None:
        reason = "the profile ignores it (validation.on_prompt_skew)" if digest else f"the run names no snapshot of prompts ({SETTING})"
        return {"state": "none", "snapshot": None, "passages": 0, "reason": reason, "features": []}
    known = {
        "digest": digest, "model": snapshot.model, "first_day": snapshot.first_day, "last_day": snapshot.last_day,
        "users": snapshot.users, "prompts": snapshot.prompts.documents, "left_out": dict(snapshot.left_out),
    }  # fmt: skip
    return {"state": "measured", "snapshot": known, "passages": passages.documents, "reason": "", "features": _rows(skews)}


def _rows(compared: Sequence[Distance]) -> list[dict[str, Any]]:
    """Return the distances as JSON, with names in words."""
    return [
        {key: round(value, 6) if isinstance(value, float) else value for key, value in asdict(row).items() if key != "kind"}
        | {"label": FEATURES[row.feature].label, "text": str(row)}
        for row in compared
    ]


def _beyond(compared: Sequence[Distance]) -> int:
    """Return the number of features beyond their limits that do not stop the run."""
    return sum(row.verdict in ("warn", "ignored") for row in compared)


def _write_metrics(
    call: Call, documents: int, violations: int, checks: Sequence[Check], drifts: Sequence[Distance], skews: Sequence[Distance]
) -> None:
    if "metrics" not in call.outputs:
        return
    metrics: dict[str, float] = {"documents": documents, "anomalies": violations}
    metrics |= {result.name: round(result.value, 4) for result in checks if math.isfinite(result.value)}
    if drifts:
        metrics["drifted_features"] = _beyond(drifts)
        metrics |= {f"drift_{row.feature}": round(row.value, 4) for row in drifts}
    if skews:
        metrics["skewed_features"] = _beyond(skews)
        metrics |= {f"prompt_skew_{row.feature}": round(row.value, 4) for row in skews}
    call.describe("metrics", **metrics)
    write_text(call.outputs["metrics"], json.dumps(metrics))


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)


def _finite(check_fields: dict[str, Any]) -> dict[str, Any]:
    """Return a check with its value rounded; None for a non-finite value, which JSON cannot express."""
    return check_fields | {"value": round(check_fields["value"], 6) if math.isfinite(check_fields["value"]) else None}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(validate_data, work, argv, settings=ValidateSettings)


if __name__ == "__main__":
    sys.exit(main())
