"""What a corpus is measured by (DATA-2). Pure: documents in, numbers out; knows no limits, no files, no TFDV."""

import heapq
import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from robo_poet.corpus.document import MEGABYTE, Document
from robo_poet.digest import digest_bytes

SAMPLES = 5  # 5 MB held at most


class TextSample:
    """The texts of smallest hash of (seed, id), up to 5 MB, whatever the order in which they come."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._heap: list[tuple[int, str, str]] = []  # the largest hash on top
        self._size = 0

    def add(self, name: str, text: str) -> None:
        """Offer a text; one longer than a sample counts by its beginning."""
        text = text[:MEGABYTE]
        rank = int(digest_bytes(f"{self.seed}\0{name}".encode())[:16], 16)
        heapq.heappush(self._heap, (-rank, name, text))
        self._size += len(text)
        while self._size - len(self._heap[0][2]) >= SAMPLES * MEGABYTE:
            self._size -= len(heapq.heappop(self._heap)[2])

    def samples(self) -> list[str]:
        """One to five samples of a million characters; a smaller corpus is a single, smaller sample."""
        text = "\n".join(text for _, _, text in sorted(self._heap, reverse=True))
        count = min(SAMPLES, max(1, len(text) // MEGABYTE))
        return [text[number * MEGABYTE : (number + 1) * MEGABYTE] for number in range(count)]


WORD = re.compile(r"\w+(?:['’]\w+)*")
SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)")
DAMAGE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")  # controls but tab and line ends, and the replacement character
BINS = 24
RIGHTS = 20  # kinds told apart


@dataclass
class Measured:
    """The numbers of a corpus. Shares are in [0, 1]; a megabyte is a million bytes of UTF-8."""

    documents: int = 0
    megabytes: float = 0.0
    type_token_ratio: float = 0.0  # mean over seeded samples of 1 MB
    sentence_words: float = 0.0  # mean
    duplicate_share: float = 0.0  # documents that repeat another's words, whatever the case and spacing
    damage_share: float = 0.0  # of characters
    language_share: float = 0.0  # documents in an expected language
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    rights: list[dict[str, Any]] = field(default_factory=list)  # see `_rights`
    features: dict[str, list[Any]] = field(default_factory=dict)  # a value a document: what TFDV looks at
    length_histogram: dict[str, list[float]] = field(default_factory=dict)


def measure(documents: Iterable[Document], languages: Iterable[str], seed: int) -> Measured:
    """Read a corpus once. Holds numbers and short strings of each document and 5 MB of text, never the whole of it."""
    result = Measured(features={name: [] for name in FEATURES})
    expected = {language.lower() for language in languages}
    sample, texts, sources = TextSample(seed), set[bytes](), Counter[str]()
    licences: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    lengths = array("q")
    splits: dict[str, Counter[str]] = defaultdict(Counter)
    groups: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        words = WORD.findall(document.text)
        same = digest_bytes(" ".join(words).casefold().encode())[:32].encode()
        totals.update(
            documents=1,
            bytes=document.size,
            characters=len(document.text),
            words=len(words),
            sentences=max(1, len(SENTENCE_END.findall(document.text))),
            damage=len(DAMAGE.findall(document.text)),
            repeated=int(same in texts),
            expected=int(document.language.lower().split("-")[0] in expected),
        )
        texts.add(same)
        lengths.append(len(document.text))
        sources[document.source] += 1
        licences[document.source, document.licence.strip()].update(documents=1, consent=int(bool(document.consent.strip())))
        splits[document.split].update(documents=1, bytes=document.size)
        groups[document.split].add(document.group)
        sample.add(document.id, document.text)
        for name, value in _features(document, len(words)).items():
            result.features[name].append(value)
    count = max(1, totals["documents"])
    result.documents = totals["documents"]
    result.megabytes = totals["bytes"] / MEGABYTE
    result.type_token_ratio = type_token_ratio(sample.samples())
    result.sentence_words = totals["words"] / max(1, totals["sentences"])
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
    """By whose leave each source is used: documents by licence, and how many of them state a consent, whose words may name people and
    stay in the corpus. What states no licence comes first, then the most frequent; `licence` is None for the sum of all others."""
    kinds = sorted(licences.items(), key=lambda one: (one[0][1] != "", -one[1]["documents"], one[0]))
    rows: list[dict[str, Any]] = [{"source": source, "licence": licence, **counts} for (source, licence), counts in kinds[:RIGHTS]]
    if rest := sum((counts for _, counts in kinds[RIGHTS:]), Counter[str]()):
        rows.append({"source": None, "licence": None, "documents": rest["documents"], "consent": rest["consent"]})
    return rows


STRINGS = ("split", "source", "language", "genre", "licence", "consent")
FEATURES = ("characters", "words", "year", *STRINGS)


def _features(document: Document, words: int) -> dict[str, Any]:
    year = document.date[:4]
    return {
        "characters": len(document.text),
        "words": words,
        "year": int(year) if year.isdecimal() and len(year) == 4 else None,
        **{name: getattr(document, name) or None for name in STRINGS},
    }


def type_token_ratio(samples: list[str]) -> float:
    """Different words over words, case ignored, as a mean over samples."""
    ratios = []
    for sample in samples:
        words = WORD.findall(sample.casefold())
        ratios.append(len(set(words)) / max(1, len(words)))
    return sum(ratios) / max(1, len(ratios))


def histogram(lengths: Iterable[int]) -> dict[str, list[float]]:
    """Counts in 24 bins of equal ratio: lengths of texts spread over orders of magnitude.

    Returns:
        `edges`, one more than `counts`; both empty without lengths.
    """
    values = sorted(max(1, length) for length in lengths)
    if not values:
        return {"edges": [], "counts": []}
    low, high = math.log(values[0]), math.log(values[-1] + 1)
    width = (high - low) / BINS
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int((math.log(value) - low) / width))] += 1
    return {"edges": [round(math.exp(low + width * i), 1) for i in range(BINS + 1)], "counts": list(counts)}
