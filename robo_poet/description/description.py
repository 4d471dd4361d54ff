"""The description of a corpus: counts, shares and the splits that a run would make. It holds no text and no personal data.

The source is read twice: a first reading finds what a run would leave out, and works. A second measures the kept documents.
"""

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from robo_poet.corpus.curation.dropped import EMPTY, EXACT, NEAR
from robo_poet.corpus.document import MEGABYTE, Document, language_code
from robo_poet.corpus.first_reading import DocumentRecord, read_records
from robo_poet.corpus.parquet import SPLITS
from robo_poet.corpus.plan import draw_sample, works_of
from robo_poet.corpus.source import Source
from robo_poet.corpus.split import Work, is_iso_date, split_works, unit_hash
from robo_poet.description.facts import LONG, DocumentFacts, Measures, all_facts
from robo_poet.model.bpe import smaller_bpe, train_bpe
from robo_poet.privacy.names.engine import engine_name, name_engine
from robo_poet.privacy.names.spacy_names import PIECE
from robo_poet.settings.data import IngestSettings, ScrubSettings

NAMES_BYTES = 30_000  # text in which names are searched, about a second of work; a smaller corpus is searched in full
NAMES_PIECES = 150  # texts in which names are searched; the model takes 4 ms per text, however short
TOKENS_BYTES = 300_000  # text on which tokenizers of several sizes are trained, a second of work in all
VOCABULARIES = (512, 1024, 2048)
LANGUAGE_DOCUMENTS = 3_000  # short documents whose language is detected; it takes 0.05 to 0.3 ms each
PARALLEL_BYTES = 3 * MEGABYTE  # a smaller corpus gains nothing from a second process
RATIOS = ((0.8, 0.1), (0.7, 0.15), (0.6, 0.2), (0.5, 0.2))  # shares of train and validation whose splits a description compares


@dataclass(frozen=True)
class SplitSize:
    """The size of one split. A megabyte is 10**6 bytes of UTF-8."""

    works: int
    documents: int
    megabytes: float


@dataclass(frozen=True)
class Splits:
    """The splits that a pair of shares gives: split → size; empty if the corpus has fewer than three works."""

    train: float
    validation: float
    sizes: Mapping[str, SplitSize]
    moved: int = 0  # works that were moved into a split that would be empty


@dataclass(frozen=True)
class TokenStatistics:
    """Bytes of text per token, and the entropy of single tokens in bits: what a unigram model needs per token."""

    bytes_per_token: float
    unigram_bits: float


@dataclass(frozen=True)
class Names:
    """Persons' names by the scrubber's language model: matches in `searched` megabytes of the texts under the policy `full`.

    - `languages`: the languages of the model; empty: all.
    - `of`: size of all such texts.
    - `seconds`: time of the search, without loading the model.
    """

    matches: int
    searched: float
    of: float
    model: str
    languages: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Description:
    """The description of a corpus.

    Attributes:
        source: the address of the corpus, or the names of the bundled corpora.
        digest: digest of the source; empty for the bundled corpora.
        documents: documents that a run would use: without empty ones, duplicates, and those that fail a quality rule.
        sampled_from: documents before a sample was drawn (bundled corpora); equal to `documents` without a sample.
        languages: ISO 639-1 code → share of the text. Of many short documents, it is detected in a sample of about 3,000.
        dates: first and last ISO date; empty if there is none.
        damaged_share: share of characters that are U+FFFD or control characters.
        near_copies: documents that mostly repeat another document (near-duplicates).
        near_copies_across: those whose original is in another split. 0 if near-duplicates are dropped.
        dropped: reason → documents of the source that a run would leave out, without those outside a sample.
        outside_bounds: reason → documents outside a bound of `ingest.quality`, if these are only counted.
        tokens: vocabulary → bytes of text per token, and bits per token of its unigram model, on up to 300 KB of the corpus.
        personal: kind → matches by format, in all texts that are not under the policy `none`.
        splits: the splits of the profile's shares; `alternatives` are those of other shares.
    """

    source: str
    digest: str
    documents: int
    sampled_from: int
    works: int
    megabytes: float
    empty: int
    duplicates: int
    near_copies: int
    near_copies_across: int
    languages: Mapping[str, float]
    dates: tuple[str, str] | tuple[()]
    without_date: int
    median_characters: int
    largest_work_share: float
    damaged_share: float
    tokens: Mapping[int, TokenStatistics]
    personal: Mapping[str, int]
    personal_documents: int
    names: Names | None
    splits: Splits
    alternatives: Sequence[Splits] = field(default=())
    dropped: Mapping[str, int] = field(default_factory=dict)
    outside_bounds: Mapping[str, int] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """Return the language of most of the text; `unknown` for an empty corpus."""
        return next(iter(self.languages), "unknown")

    def to_json(self) -> dict[str, Any]:
        """Return the description as JSON values."""
        return {**asdict(self), "dates": list(self.dates)}


def describe(source: Source, digest: str, ingest: IngestSettings, scrub: ScrubSettings, seed: int) -> Description:
    """Describe a corpus as the run with these settings would read it. Deterministic, except for `names.seconds`.

    Args:
        source: the opened source.
        digest: its digest; empty for the bundled corpora.
        seed: seed of the split and of the samples.

    Raises:
        BadInput: a document cannot be read, two documents share an id, or the spaCy model is not installed.
    """
    searched = ingest.model_copy(update={"near_duplicates": "warn"}) if ingest.near_duplicates == "keep" else ingest
    reading = read_records(source.documents(), searched, seed, source.name)
    dropped = reading.drops.counts()
    all_records = reading.records
    records = draw_sample(all_records, source.megabytes) if source.megabytes else all_records
    works = works_of(records)
    shares = dict.fromkeys([(ingest.split_train, ingest.split_validation), *RATIOS])
    options = {
        (train, validation): _splits(
            records, works, ingest.model_copy(update={"split_train": train, "split_validation": validation}), seed, source.name
        )
        for train, validation in shares
    }
    splits, split_of = options[ingest.split_train, ingest.split_validation]
    size = sum(record.size for record in records)
    short = sum(record.size < LONG for record in records)
    measures = Measures(scrub.min_score, min(1.0, LANGUAGE_DOCUMENTS / max(1, short)))
    measured = _Measured(scrub, seed, measures)
    kept = {record.index for record in records}
    documents = (document for index, document in enumerate(_normalised(source.documents())) if index in kept)
    for document, facts in all_facts(documents, measures, parallel=size > PARALLEL_BYTES):
        measured.add(document, facts)
    work_sizes: Counter[str] = Counter()
    for record in records:
        work_sizes[record.group] += record.size
    pairs = [(record, original) for record, original in reading.pairs if record.index in kept and original.index in kept]
    dates = sorted(record.date for record in records if is_iso_date(record.date))
    lengths = sorted(measured.lengths)
    return Description(
        source=source.name,
        digest=digest,
        documents=len(records),
        sampled_from=len(all_records),
        works=len(works),
        megabytes=round(size / MEGABYTE, 3),
        empty=dropped[EMPTY],
        duplicates=dropped[EXACT],
        near_copies=dropped[NEAR] or len(pairs),
        near_copies_across=sum(split_of.get(record.group) != split_of.get(original.group) for record, original in pairs),
        languages=measured.language_shares(),
        dates=(dates[0], dates[-1]) if dates else (),
        without_date=len(records) - len(dates),
        median_characters=lengths[len(lengths) // 2] if lengths else 0,
        largest_work_share=round(max(work_sizes.values(), default=0) / max(1, size), 4),
        damaged_share=round(measured.damaged / max(1, sum(lengths)), 6),
        tokens=measured.tokens.token_statistics(),
        personal=dict(sorted(measured.personal.items())),
        personal_documents=measured.personal_documents,
        names=measured.search_names(),
        splits=splits,
        alternatives=tuple(options[ratio][0] for ratio in RATIOS),
        dropped=dict(dropped),
        outside_bounds=reading.failed,
    )


def _normalised(documents: Iterable[Document]) -> Iterator[Document]:
    for document in documents:
        yield document.with_text(document.text)


def _splits(
    records: Sequence[DocumentRecord], works: Mapping[str, Work], settings: IngestSettings, seed: int, where: str
) -> tuple[Splits, dict[str, str]]:
    """Return the sizes of the splits, and work → split. Both are empty if there are fewer than three works."""
    if len(works) < len(SPLITS):
        return Splits(settings.split_train, settings.split_validation, {}), {}
    split_of, moved = split_works(works, seed, settings.split_train, settings.split_validation, settings.split_by, where)
    work_counts, documents, sizes_in_bytes = Counter(split_of.values()), Counter[str](), Counter[str]()
    for record in records:
        split = split_of[record.group]
        documents[split] += 1
        sizes_in_bytes[split] += record.size
    sizes = {split: SplitSize(work_counts[split], documents[split], round(sizes_in_bytes[split] / MEGABYTE, 4)) for split in SPLITS}
    return Splits(settings.split_train, settings.split_validation, sizes, len(moved)), split_of


MOST_PIECES = 2_000  # pieces in memory before they are sorted


class _Sample:
    """A sample of texts: the pieces of up to 4,000 characters, up to nine per document, with the smallest hash of (seed, document).

    A corpus with few documents gives several pieces of each.
    """

    def __init__(self, size: int, seed: int, pieces: int = 0) -> None:
        self.size, self.seed, self.pieces = size, seed, pieces or size
        self._pieces: list[tuple[float, str]] = []
        self._most = MOST_PIECES

    def offer(self, document: Document) -> None:
        for start in range(0, len(document.text), max(PIECE, len(document.text) // 8)):
            rank = unit_hash(self.seed, f"{document.sha256}{start}")
            self._pieces.append((rank, document.text[start : start + PIECE]))
        if len(self._pieces) > self._most:
            self._pieces = self._smallest()
            self._most = max(MOST_PIECES, 2 * len(self._pieces))  # a sample of short texts has many pieces: sort them rarely

    def texts(self) -> list[str]:
        return [text for _, text in self._smallest()]

    def _smallest(self) -> list[tuple[float, str]]:
        kept, size = [], 0
        for rank, text in sorted(self._pieces):
            kept.append((rank, text))
            size += len(text)
            if size >= self.size or len(kept) >= self.pieces:
                break
        return kept

    def token_statistics(self) -> dict[int, TokenStatistics]:
        """Return the statistics by vocabulary; empty for an empty sample. Special tokens do not count."""
        texts = self.texts()
        size = sum(len(text.encode()) for text in texts)
        if not size:
            return {}
        statistics = {}
        largest = train_bpe(texts, max(VOCABULARIES))
        for vocabulary in VOCABULARIES:
            core = smaller_bpe(largest, vocabulary)
            counts = Counter(token for encoding in core.encode_batch_fast(texts) for token in encoding.ids)
            total = counts.total()
            bits = -sum(count / total * math.log2(count / total) for count in counts.values())
            statistics[vocabulary] = TokenStatistics(round(size / total, 3), round(bits, 3))
        return statistics


class _Measured:
    """The sums over the documents of the second reading, and the samples in which names are searched and tokens counted."""

    def __init__(self, scrub: ScrubSettings, seed: int, measures: Measures) -> None:
        self.scrub, self.measures = scrub, measures
        self.lengths: list[int] = []
        self.languages: dict[str, float] = {}  # language → bytes of text; a document of the sample counts for those that are not in it
        self.personal: Counter[str] = Counter()
        self.damaged = self.personal_documents = self.full_bytes = 0
        self.tokens, self.named = _Sample(TOKENS_BYTES, seed), _Sample(NAMES_BYTES, seed, NAMES_PIECES)

    def add(self, document: Document, facts: DocumentFacts) -> None:
        policy = self.scrub.policies.get(document.source, self.scrub.default_policy)
        size = document.size
        self.lengths.append(facts.characters)
        if facts.language:
            sampled = not document.language and len(document.text) < LONG
            weight = size / self.measures.language_share if sampled else size
            code = language_code(facts.language)
            self.languages[code] = self.languages.get(code, 0) + weight
        self.damaged += facts.damaged
        self.tokens.offer(document)
        if policy != "none" and facts.personal:
            self.personal.update(facts.personal)
            self.personal_documents += 1
        if policy == "full":
            self.full_bytes += size
            self.named.offer(document)

    def language_shares(self) -> dict[str, float]:
        """Return language → share of the text, the largest first."""
        total = sum(self.languages.values())
        return {name: round(size / total, 4) for name, size in sorted(self.languages.items(), key=lambda item: -item[1])}

    def search_names(self) -> Names | None:
        """Search the sampled pieces. Return None if no text is under the policy `full`."""
        if not self.full_bytes:
            return None
        finder = name_engine(self.scrub)
        texts = self.named.texts()
        started = time.process_time()
        matches = sum(map(len, finder.find(texts)))
        searched = sum(len(text.encode()) for text in texts)
        return Names(
            matches,
            searched / MEGABYTE,
            self.full_bytes / MEGABYTE,
            engine_name(self.scrub),
            tuple(sorted(finder.languages)),
            time.process_time() - started,
        )
