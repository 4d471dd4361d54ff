"""Computes the statistics of a corpus (DATA-2). Pure functions of documents: no limits, no files, no TFDV."""

import heapq
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import tee
from typing import Any

from robo_poet.corpus.document import MEGABYTE, Document
from robo_poet.digest import digest_bytes
from robo_poet.features.distributions import Columns
from robo_poet.features.features import FEATURES, WORD, Measures, measure_document

SAMPLES = 5  # samples of a million characters each; at most 6 million characters are in memory


class TextSample:
    """A seeded sample of texts, up to 5 million characters: those with the smallest hash of (seed, id). Independent of their order."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._heap: list[tuple[int, str, str]] = []  # (-hash, id, text); the largest hash is first
        self._size = 0

    def add(self, name: str, text: str) -> None:
        """Offer a text to the sample. Only its first million characters count."""
        text = text[:MEGABYTE]
        rank = int(digest_bytes(f"{self.seed}\0{name}".encode())[:16], 16)
        heapq.heappush(self._heap, (-rank, name, text))
        self._size += len(text)
        while self._size - len(self._heap[0][2]) >= SAMPLES * MEGABYTE:
            self._size -= len(heapq.heappop(self._heap)[2])

    def samples(self) -> list[str]:
        """Return one to five samples of a million characters each. A smaller corpus gives one smaller sample."""
        text = "\n".join(text for _, _, text in sorted(self._heap, reverse=True))
        count = min(SAMPLES, max(1, len(text) // MEGABYTE))
        return [text[number * MEGABYTE : (number + 1) * MEGABYTE] for number in range(count)]


HISTOGRAM_BINS = 24  # of the histogram of document lengths
MAX_RIGHTS_ROWS = 20  # maximum number of rows of (source, licence); the others are summed


@dataclass
class CorpusStatistics:
    """The statistics of a corpus. Shares are in [0, 1]. A megabyte is 10**6 bytes of UTF-8."""

    documents: int = 0
    megabytes: float = 0.0
    type_token_ratio: float = 0.0  # mean over seeded samples of a million characters
    sentence_tokens: float = 0.0  # mean words and punctuation marks per sentence
    duplicate_share: float = 0.0  # documents with the same words as an earlier one, ignoring case and spacing
    damage_share: float = 0.0  # of characters
    language_share: float = 0.0  # documents in an expected language
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    rights: list[dict[str, Any]] = field(default_factory=list)  # see `_rights`
    length_histogram: dict[str, list[float]] = field(default_factory=dict)


BATCH = 2_048  # documents whose features are in memory


def measure(
    documents: Iterable[Document],
    languages: Iterable[str],
    seed: int,
    observe: Callable[[Sequence[str], Columns], None] | None = None,
    measures: Iterable[Measures] | None = None,
) -> CorpusStatistics:
    """Compute the statistics in one pass. The memory contains three hashes per document and at most 6 million characters of text.

    Args:
        languages: the expected ISO 639-1 codes.
        seed: seed of the text sample.
        observe: called with the ids and the features of each batch of documents.
        measures: what `measure_document` returns for each document, if it is measured elsewhere; None to measure it here.
    """
    result = CorpusStatistics()
    expected = {language.lower() for language in languages}
    sample, words_digests, sources = TextSample(seed), set[bytes](), Counter[str]()
    licences: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    lengths = array("q")
    splits: dict[str, Counter[str]] = defaultdict(Counter)
    groups: dict[str, set[int]] = defaultdict(set)
    ids: list[str] = []
    columns: Columns = {name: [] for name in FEATURES}
    if measures is None:
        documents, ahead = tee(documents)
        measures = map(measure_document, ahead)
    for document, measured in zip(documents, measures, strict=True):
        repeated = measured.word_digest in words_digests
        totals.update(
            documents=1,
            bytes=document.size,
            characters=measured.characters,
            tokens=measured.tokens,
            sentences=measured.sentences,
            damage=measured.damaged,
            repeated=int(repeated),
            expected=int(document.language.lower().split("-")[0] in expected),
        )
        words_digests.add(measured.word_digest)
        lengths.append(measured.characters)
        sources[document.source] += 1
        licences[document.source, document.licence.strip()].update(documents=1, consent=int(bool(document.consent.strip())))
        splits[document.split].update(documents=1, bytes=document.size)
        groups[document.split].add(hash(document.group))
        sample.add(document.id, document.text)
        if observe:
            ids.append(document.id)
            for name, value in (measured.values | {"duplicate": "yes" if repeated else "no"}).items():
                columns[name].append(value)
            if len(ids) == BATCH:
                observe(ids, columns)
                ids, columns = [], {name: [] for name in FEATURES}
    if observe and ids:
        observe(ids, columns)
    count = max(1, totals["documents"])
    result.documents = totals["documents"]
    result.megabytes = totals["bytes"] / MEGABYTE
    result.type_token_ratio = type_token_ratio(sample.samples())
    result.sentence_tokens = totals["tokens"] / max(1, totals["sentences"])
    result.duplicate_share = totals["repeated"] / count
    result.damage_share = totals["damage"] / max(1, totals["characters"])
    result.language_share = totals["expected"] / count
    result.splits = {
        name: {"documents": split["documents"], "megabytes": round(split["bytes"] / MEGABYTE, 3), "groups": len(groups[name])}
        for name, split in sorted(splits.items())
    }
    result.sources = dict(sorted(sources.items()))
    result.rights = _rights(licences)
    result.length_histogram = histogram(lengths)
    return result


def _rights(licences: Mapping[tuple[str, str], Counter[str]]) -> list[dict[str, Any]]:
    """Count documents, and documents with a consent, by source and licence.

    Rows without a licence come first, then rows with the most documents. After 20 rows, one row with `source` and `licence` None sums
    the others. The text of a consent is not returned, because it may name persons.
    """
    ranked = sorted(licences.items(), key=lambda item: (item[0][1] != "", -item[1]["documents"], item[0]))
    rows: list[dict[str, Any]] = [
        {"source": source, "licence": licence, **counts} for (source, licence), counts in ranked[:MAX_RIGHTS_ROWS]
    ]
    if rest := sum((counts for _, counts in ranked[MAX_RIGHTS_ROWS:]), Counter[str]()):
        rows.append({"source": None, "licence": None, "documents": rest["documents"], "consent": rest["consent"]})
    return rows


def type_token_ratio(samples: list[str]) -> float:
    """Return distinct words divided by all words, ignoring case, as a mean over the samples."""
    ratios = []
    for sample in samples:
        words = WORD.findall(sample.casefold())
        ratios.append(len(set(words)) / max(1, len(words)))
    return sum(ratios) / max(1, len(ratios))


def histogram(lengths: Iterable[int]) -> dict[str, list[float]]:
    """Count lengths in 24 logarithmic bins, because lengths of texts span orders of magnitude.

    Returns:
        `edges` (25 values, in characters) and `counts` (24 values); both empty if there are no lengths.
    """
    values = sorted(max(1, length) for length in lengths)
    if not values:
        return {"edges": [], "counts": []}
    low, high = math.log(values[0]), math.log(values[-1] + 1)
    width = (high - low) / HISTOGRAM_BINS
    counts = [0] * HISTOGRAM_BINS
    for value in values:
        counts[min(HISTOGRAM_BINS - 1, int((math.log(value) - low) / width))] += 1
    return {"edges": [round(math.exp(low + width * i), 1) for i in range(HISTOGRAM_BINS + 1)], "counts": list(counts)}
