"""A run or a registered version with its settings, data and measurements, in the form that lists and comparisons show.

Both are read from JSON that the pipeline wrote: `summary.json`, or manifest and card. Files of older releases lack some keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from robo_poet.errors import BadInput, validation_message
from robo_poet.judges.metrics import LSA, metric_text
from robo_poet.report.gate_rows import OPEN

COUNTS = ("documents", "works", "megabytes", "train_documents", "validation_documents", "test_documents")


@dataclass(frozen=True)
class Measured:
    """A run or a version. A field is empty if it is not known.

    Args:
        name: the id of the run, or `model/number`.
        version: number of the version.
        corpus: address of the corpus; for a version, its last part. `bundled` for the bundled corpora.
        profile: name of the profile.
        changed: dotted key → value of each setting that differs from the profile file; None if it is not known.
        settings: sections by name, as in a lineage.
        status: of the run, such as `succeeded`; empty for a version.
        verdict: `accepted` or `rejected`.
        date: UTC, ISO 8601, of the run or of the registration.
        metrics, intervals, shortages, gates: as in the artifact `decision`.
        semantic_method: method of the semantic similarity. Runs and cards of older releases do not name it: it was LSA.
        samples: random samples, each `{"prompt", "text"}`.
        counts: figures of the corpus, with the keys `COUNTS`.
        digests: of `corpus`, `scrubbed` and `tokenizer`.
        champion: the comparison with the champion of that time (artifact `comparison`).
        seconds: duration of the run; None if it is not known.
    """

    name: str
    model: str = ""
    version: int | None = None
    stage: str = ""
    corpus: str = ""
    profile: str = ""
    changed: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    status: str = ""
    verdict: str = ""
    reason: str = ""
    date: str = ""
    metrics: Mapping[str, int | float | None] = field(default_factory=dict)
    intervals: Mapping[str, Any] = field(default_factory=dict)
    shortages: Mapping[str, Any] = field(default_factory=dict)
    gates: Sequence[Mapping[str, Any]] = ()
    semantic_method: str = ""
    samples: Sequence[Mapping[str, str]] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    champion: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None

    def metric_text(self, metric: str) -> str:
        """Return the value of a metric with its unit; empty if there is none."""
        value = self.metrics.get(metric)
        return "" if value is None else metric_text(metric, value)

    @property
    def open_questions(self) -> int:
        """The number of gates that could not judge."""
        return sum(gate.get("verdict") == OPEN for gate in self.gates)

    @property
    def judgement(self) -> str:
        """The verdict in words: `accepted`, `accepted, 2 open`, `rejected`, or empty."""
        questions = self.open_questions
        return f"{self.verdict}, {questions} open" if questions and self.verdict == "accepted" else self.verdict


def measured_run(summary: Mapping[str, Any], *, parameters: Mapping[str, Any], card: Mapping[str, Any], name: str) -> Measured:
    """Return a run.

    Args:
        summary: its `summary.json`; empty if the run has none yet.
        parameters: its parameters, from the first line of `events.jsonl`. Summaries of older releases have no settings.
        card: its model card as JSON, for the samples of an older release; may be empty.
        name: its id.

    Raises:
        BadInput: the summary was changed by hand, so that a value has another type.
    """
    try:
        return TypeAdapter(Measured).validate_python(vars(_run(summary, parameters, card, name)))
    except (AttributeError, TypeError, ValueError) as error:
        detail = validation_message(error.errors(include_url=False)[0]["msg"]) if isinstance(error, ValidationError) else str(error)
        raise BadInput(
            f"not as a run writes it: {detail}", where=f"{name}/summary.json", remedy="run again; the cache has the results"
        ) from None


def _run(summary: Mapping[str, Any], parameters: Mapping[str, Any], card: Mapping[str, Any], name: str) -> Measured:
    lineage = parameters.get("lineage") or {}
    outputs = summary.get("outputs") or {}
    digests = {
        "corpus": _result(outputs, "ingest", "corpus_digest"),
        "scrubbed": _result(outputs, "scrub-pii", "scrubbed_digest"),
        "tokenizer": _result(outputs, "train-tokenizer", "tokenizer_digest"),
    }
    counted = outputs.get("ingest", {}).get("artifacts", {}).get("metrics", {}).get("metadata", {})
    return Measured(
        name,
        model=summary.get("model") or parameters.get("model_name") or lineage.get("model") or "",
        version=summary.get("version"),
        stage=summary.get("stage") or "",
        corpus=summary.get("source") or parameters.get("source") or lineage.get("source") or "",
        profile=summary.get("profile") or lineage.get("profile") or "",
        changed=summary.get("changed", lineage.get("changed")),
        settings=summary.get("settings") or lineage.get("settings") or {},
        status=summary.get("status") or "unfinished",
        verdict=summary.get("verdict") or "",
        reason=summary.get("reason") or card.get("reason") or "",
        date=_date(name),
        metrics=summary.get("metrics") or {},
        intervals=summary.get("intervals") or {},
        shortages=summary.get("shortages") or card.get("shortages") or {},
        gates=summary.get("gates") or (),
        semantic_method=_semantic_method(summary, summary.get("metrics") or {}),
        samples=summary.get("samples") or _drawn(card),
        counts={key: counted[key] for key in COUNTS if key in counted},
        digests={key: digest for key, digest in digests.items() if digest},
        champion=card.get("champion") or {},
        seconds=summary.get("seconds"),
    )


def measured_version(manifest: Mapping[str, Any], card: Mapping[str, Any], *, model: str, number: int, stage: str, date: str) -> Measured:
    """Return a registered version.

    Args:
        manifest: its manifest as JSON; empty if its files were purged.
        card: its model card as JSON; empty if it has none.
        stage: its present stage.
        date: of its registration, UTC, ISO 8601.
    """
    lineage, decision = manifest.get("lineage") or {}, manifest.get("decision") or {}
    inputs = lineage.get("inputs") or {}
    return Measured(
        f"{model}/{number}",
        model=model,
        version=number,
        stage=stage,
        corpus=lineage.get("source") or "",
        profile=lineage.get("profile") or "",
        changed=lineage.get("changed"),
        settings=lineage.get("settings") or {},
        verdict=decision.get("verdict") or "",
        reason=decision.get("reason") or "",
        date=date,
        metrics=manifest.get("metrics") or {},
        intervals=decision.get("intervals") or {},
        shortages=decision.get("shortages") or {},
        gates=decision.get("gates") or (),
        semantic_method=_semantic_method(card.get("measured_on") or {}, manifest.get("metrics") or {}) if card else "",
        samples=_drawn(card),
        counts=_counts(card.get("data") or {}),
        digests={key: inputs[key] for key in ("corpus", "scrubbed", "tokenizer") if inputs.get(key)},
        champion=card.get("champion") or {},
    )


def _semantic_method(source: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    return str(source.get("semantic_method", LSA) or "") if "semantic_similarity" in metrics else ""


def _result(outputs: Mapping[str, Any], step: str, name: str) -> str:
    return str(outputs.get(step, {}).get("parameters", {}).get(name, ""))


def _date(run: str) -> str:
    """Return the time in the id of a run, `20260102T030405.678-abcd`, as ISO 8601; empty for another name."""
    day, time = run[:8], run[9:15]
    if not (day.isdecimal() and run[8:9] == "T" and time.isdecimal()):
        return ""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}"


def _drawn(card: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    return (card.get("samples") or {}).get("drawn") or ()


def _counts(statistics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a corpus from its statistics."""
    splits = statistics.get("splits") or {}
    counts = {key: statistics[key] for key in ("documents", "megabytes") if key in statistics}
    if splits:
        counts["works"] = sum(split["groups"] for split in splits.values())
    return counts | {f"{name}_documents": splits[name]["documents"] for name in ("train", "validation", "test") if name in splits}
