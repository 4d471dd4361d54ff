"""Build the corpus from a source. Reads the source twice (plan, then write), so the corpus need not fit in memory."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from components.ingest.component import ingest
from components.ingest.distributed_examination import DistributedExamination
from robo_poet.atomic import write_text
from robo_poet.corpus.curation.dropped import DELETED, Dropped, DroppedWriter
from robo_poet.corpus.curation.examination import Examination
from robo_poet.corpus.curation.quality import language_of
from robo_poet.corpus.document import MEGABYTE, Document
from robo_poet.corpus.parquet import SPLITS, write_documents
from robo_poet.corpus.plan import apply_plan, make_plan
from robo_poet.corpus.source import Source, joined, open_live_text, open_source
from robo_poet.deletion.suppression import Suppression, ingested_list
from robo_poet.display import quotable_name
from robo_poet.distributed.run import distributed
from robo_poet.errors import BadInput
from robo_poet.settings.beam import BeamSettings
from robo_poet.settings.data import IngestSettings
from robo_poet.step.program import Call, parse_settings, program

CONTROL_TOKEN = re.compile(r"<(?:PAD|UNK|START|END)>")
MAX_NAMED = 3  # documents named in warnings; further documents are only counted


def work(call: Call) -> None:
    """Write the outputs `corpus` and `dropped`, and `metrics` if requested."""
    beam = parse_settings(BeamSettings, call.parameters["beam"], "--beam")
    with distributed(beam, call.outputs["corpus"].parent, call.parts) as runs:
        _work(call, None if runs.plain else DistributedExamination(runs, call.settings))


def _work(call: Call, examination: Examination | None) -> None:
    settings: IngestSettings = call.settings
    seed = call.parameters["seed"]
    call.progress(0, 1, "reading the source")
    source = open_source(call.parameters["source"], call.parameters["source_digest"], settings)
    if live_text := call.parameters["live_text"]:
        source = joined(source, open_live_text(live_text, call.parameters["live_text_digest"] or ""))
    suppression = _suppression(call)
    suppressed = _count_suppressed(call, source, suppression)

    def documents() -> Iterator[Document]:
        return suppression.allowed(source.documents()) if suppression else source.documents()

    deleted = (document for document in source.documents() if suppression and suppression.suppresses(document)) if suppressed else ()
    folder = call.outputs["corpus"].parent
    plan = make_plan(documents(), settings, seed, source.name, source.megabytes, folder, deleted, examination)
    for warning in (*source.warnings, *plan.warnings):
        call.warn(warning)
    counts: Counter[str] = Counter()
    control_tokens: dict[str, int] = {}

    def planned_documents() -> Iterator[Document]:
        total = sum(plan.keep)
        for number, document in enumerate(apply_plan(plan, documents(), dropped.write), start=1):
            counts.update({document.split: 1, "bytes": document.size})
            if count := len(CONTROL_TOKEN.findall(document.text)):
                control_tokens[quotable_name(document.id, f"document {number}")] = count
            call.progress(number, total, f"{number} of {total} documents")
            yield document if document.language else replace(document, language=language_of(document.text))
        source.verify()

    with DroppedWriter(call.outputs["dropped"]) as dropped:
        write_documents(call.outputs["corpus"], planned_documents())
        for _ in range(suppressed):
            dropped.write(Dropped("", DELETED))
    _warn_of_control_tokens(call, control_tokens)
    reasons = plan.drops.counts() + Counter({DELETED: suppressed})
    metrics = {
        "documents": sum(counts[split] for split in SPLITS),
        "works": len(plan.splits),
        "megabytes": round(counts["bytes"] / MEGABYTE, 3),
        **{f"{split}_documents": counts[split] for split in SPLITS},
        "dropped": reasons.total(),
        **{f"dropped_{reason}": count for reason, count in sorted(reasons.items())},
    }
    if "metrics" in call.outputs:
        call.describe("metrics", **metrics)
        write_text(call.outputs["metrics"], json.dumps(metrics))
    call.describe("corpus", source=source.name, documents=metrics["documents"])
    call.describe("dropped", documents=metrics["dropped"])


def _suppression(call: Call) -> Suppression | None:
    """Return the list of documents that were deleted on request (DATA-4); None if there is none, or if it is empty."""
    suppression = ingested_list(call.parameters["suppression"], call.parameters["suppression_digest"])
    return suppression if suppression and suppression.digests else None


def _count_suppressed(call: Call, source: Source, suppression: Suppression | None) -> int:
    """Return the number of documents on the suppression list; warn of it.

    Raises:
        BadInput: all documents are on the list.
    """
    if not suppression:
        return 0
    total = suppressed = 0
    for document in source.documents():
        total += 1
        suppressed += suppression.suppresses(document)
    if suppressed and suppressed == total:
        raise BadInput(f"all {total} documents were deleted on request", where=source.name, remedy="give another corpus")
    if suppressed:
        call.warn(f"{suppressed} of {total} documents were deleted on request and are not read again (suppression list)")
    return suppressed


def _warn_of_control_tokens(call: Call, counts: dict[str, int]) -> None:
    """Warn of literal control tokens. The tokenizer encodes them as plain text, which the user may not expect."""
    for name, count in list(counts.items())[:MAX_NAMED]:
        call.warn(f"{name}: {count} literal control token{'s' * (count > 1)} (such as <END>); the tokenizer reads them as ordinary text")
    if len(counts) > MAX_NAMED:
        call.warn(
            f"{sum(counts.values())} literal control tokens in {len(counts)} documents in total; the tokenizer reads them as ordinary text"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step and return the exit status; see `robo_poet.step.program`."""
    return program(ingest, work, argv, settings=IngestSettings)


if __name__ == "__main__":
    sys.exit(main())
