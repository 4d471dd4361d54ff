"""Scrub personal data from the corpus, document by document, and write an audit of the changes."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from components.scrub_pii.component import scrub_pii
from components.scrub_pii.found_in_corpus import Found, found_in_corpus
from components.scrub_pii.jobs import Find, Survey, Surveyed, findings_of
from robo_poet.atomic import write_text
from robo_poet.corpus.document import MEGABYTE, Document
from robo_poet.corpus.parquet import count_documents, write_documents
from robo_poet.distributed.run import Distributed, distributed
from robo_poet.distributed.shards import HeldShard
from robo_poet.errors import BadInput
from robo_poet.judges.scrub_recall import missed, recall_sentence
from robo_poet.privacy.findings import AuditWriter, Finding, audit_key, new_audit
from robo_poet.privacy.names.engine import engine_name
from robo_poet.privacy.planted.recall import Excerpt, excerpts_per_document, measure, plant
from robo_poet.settings.beam import BeamSettings
from robo_poet.settings.data import ScrubSettings
from robo_poet.step.program import Call, parse_settings, program

PARALLEL_BYTES = 0.1 * MEGABYTE  # bytes of Parquet, about a third of the text's size; a smaller corpus gains nothing from a second process
MAX_LANGUAGES_NAMED = 5  # languages in a warning


def work(call: Call) -> None:
    """Write the outputs `scrubbed` and `audit`, and `metrics` if requested."""
    beam = parse_settings(BeamSettings, call.parameters["beam"], "--beam")
    with distributed(beam, call.outputs["scrubbed"].parent, call.parts) as runs:
        _work(call, runs)


def _work(call: Call, runs: Distributed) -> None:
    settings: ScrubSettings = call.settings
    corpus = call.inputs["corpus"]
    total = count_documents(corpus)
    shards = runs.shards(corpus)
    processes = min(4, len(os.sched_getaffinity(0))) if runs.plain and corpus.stat().st_size > PARALLEL_BYTES else 1
    find = Find(settings.model_dump_json(), processes)
    scrubber = find.scrubber
    call.progress(0, 1, "reading the corpus")
    survey = Survey(find, call.parameters["seed"], settings.planted_copies)
    surveyed = Surveyed.of(runs.run(survey, shards), settings.planted_copies)
    if surveyed.scrubbed < settings.planted_copies:  # few documents: each gives several excerpts
        survey = replace(survey, per_document=excerpts_per_document(settings.planted_copies, surveyed.scrubbed))
        surveyed = Surveyed.of(runs.run(survey, shards), settings.planted_copies)
    _check_languages(call, scrubber.uncovered(surveyed.languages) if settings.on_language != "ignore" else Counter())
    measured = _check_recall(call, runs, find, surveyed.excerpts)
    counts: Counter[str] = Counter({f"policy_{policy}": count for policy, count in surveyed.policies.items()})

    def searched() -> Iterator[list[Finding]]:
        for number, value in enumerate(runs.run(find, shards), start=1):
            call.progress(number, total, f"{number} of {total} documents")
            yield findings_of(value)

    def scrubbed(audit: AuditWriter, found: Found) -> Iterator[Document]:
        for document, findings in found:
            audit.add(document, findings)
            counts.update(f"found_{finding.entity.lower()}" for finding in findings)
            counts["documents_changed"] += bool(findings)
            yield scrubber.replaced(document, findings)

    with (
        found_in_corpus(corpus, searched(), scrubber.policy, call.outputs["scrubbed"].parent) as found,
        new_audit(call.outputs["audit"], audit_key(corpus)) as audit,
    ):
        write_documents(call.outputs["scrubbed"], scrubbed(audit, found))
    metrics = {
        "documents": total,
        "findings": sum(count for name, count in counts.items() if name.startswith("found_")),
        **dict(sorted(counts.items())),
    }
    if (recall := measured["all"]["recall"]) is not None:
        metrics |= {"planted": measured["all"]["planted"], "planted_recall": round(recall, 4)}
    write_text(call.outputs["recall"], json.dumps(measured, indent=1, allow_nan=False))
    if "metrics" in call.outputs:
        call.describe("metrics", **metrics)
        write_text(call.outputs["metrics"], json.dumps(metrics))


COPIES_PER_SHARD = 25


def _check_recall(call: Call, runs: Distributed, find: Find, excerpts: Sequence[Excerpt]) -> dict[str, Any]:
    """Plant invented personal data into excerpts, search them and return recall and precision; see `planted.recall`.

    Called before scrubbing, which is slow.

    Raises:
        BadInput: the recall is below `scrub.min_recall`, and `scrub.on_recall` is `fail`.
    """
    settings: ScrubSettings = call.settings
    call.progress(0, 1, "measuring the recall on planted personal data")
    copies = plant(excerpts, call.parameters["seed"])
    documents = [copy.document for copy in copies]
    parts = [HeldShard(tuple(documents[at : at + COPIES_PER_SHARD])) for at in range(0, len(documents), COPIES_PER_SHARD)]
    measured = measure(copies, map(findings_of, runs.run(find, parts)))
    measured["min_recall"] = settings.min_recall
    recall = measured["all"]["recall"]
    if recall is not None and recall < settings.min_recall and settings.on_recall != "ignore":
        problem = (
            f"{recall_sentence(measured)}; at least {100 * settings.min_recall:g} % are required; missed: {', '.join(missed(measured))}"
        )
        if settings.on_recall == "fail":
            remedy = "to accept it, lower scrub.min_recall"
            if "full" in measured["policy"]:  # only this policy uses the engine
                remedy = f"set scrub.name_engine to spacy and scrub.spacy_model to a model of the corpus's language; {remedy}"
            raise BadInput(problem, where="corpus", remedy=remedy)
        call.warn(problem)
    return measured


def _check_languages(call: Call, unsupported: Counter[str]) -> None:
    """Warn or fail if some documents are not in a language of the name model, because the model would miss names in them.

    Called before scrubbing, which is slow.

    Args:
        unsupported: number of such documents by language.

    Raises:
        BadInput: there are such documents, and `scrub.on_language` is `fail`.
    """
    settings: ScrubSettings = call.settings
    if not unsupported:
        return
    by_count = sorted(unsupported.items(), key=lambda item: (-item[1], item[0]))
    languages = ", ".join(f"{language} {count}" for language, count in by_count[:MAX_LANGUAGES_NAMED])
    more = f" and {len(unsupported) - MAX_LANGUAGES_NAMED} more languages" if len(unsupported) > MAX_LANGUAGES_NAMED else ""
    problem = (
        f"{unsupported.total()} documents are not in a language of the model {engine_name(settings)} ({languages}{more}), "
        "so names may remain in them"
    )
    remedy = "set scrub.name_engine to spacy and scrub.spacy_model to a model of their language"
    if settings.on_language == "fail":
        raise BadInput(problem, where="corpus", remedy=f"{remedy}, or set scrub.on_language to warn")
    call.warn(f"{problem}; {remedy}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(scrub_pii, work, argv, settings=ScrubSettings)


if __name__ == "__main__":
    sys.exit(main())
