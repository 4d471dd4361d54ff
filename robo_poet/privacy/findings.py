"""Findings of personal data, and the audit table of a scrubbing (DATA-3). Both record position and kind, never the text."""

import hashlib
import hmac
import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from robo_poet.atomic import new_file
from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data in the characters `start` to `end` of a text, before any replacement."""

    entity: str
    start: int
    end: int
    score: float
    recognizer: str


ADDRESS = "STREET_ADDRESS"
# What may stand between two parts of an address: separators, and at most one short word.
ADDRESS_GAP = re.compile(r"[ \t,.;:#/()º°ª|–-]{0,4}\n?[ \t,.;:#/()º°ª|–-]{0,2}(?:[^\W_]{1,5}[\s,.;:#/º°-]{1,3})?")


CHECKED = frozenset({"CREDIT_CARD", "IBAN_CODE", "EMAIL_ADDRESS"})  # no part of an address: they have check digits or an `@`


def join_addresses(findings: Sequence[Finding], text: str) -> list[Finding]:
    """Join neighbouring parts of an address into one finding, and drop other findings inside it, so that it becomes one placeholder."""
    joined: list[Finding] = []
    for finding in sorted((f for f in findings if f.entity == ADDRESS), key=lambda f: (f.start, f.end)):
        last = joined[-1] if joined else None
        if last and (finding.start <= last.end or ADDRESS_GAP.fullmatch(text, last.end, finding.start)):
            joined[-1] = replace(last, end=max(last.end, finding.end), score=max(last.score, finding.score))
        else:
            joined.append(finding)
    joined = [_extended(finding, text) for finding in joined]
    addresses = iter(joined)
    current = next(addresses, None)
    kept = []
    for finding in sorted((f for f in findings if f.entity != ADDRESS), key=lambda f: f.start):
        while current and current.end <= finding.start:
            current = next(addresses, None)
        inside = current and current.start <= finding.start and finding.end <= current.end
        if not inside or finding.entity in CHECKED:
            kept.append(finding)
    return [*kept, *joined]


_BEFORE = re.compile(
    r"(?:(?<![\w.,/-])\d{1,6}[a-z]?,?\s|(?<![^\W_])(?:flat|studio|apartment|apt\.?|suite|ste\.?|unit|floor|no\.?|n[º°]|#)\s?)$",
    re.IGNORECASE,
)
_COUNTRY = (
    "united states(?: of america)?|usa|u\\.s\\.a\\.|united kingdom|uk|england|scotland|wales|ireland|"
    "canada|australia|new zealand|germany|deutschland|austria|österreich|switzerland|"
    "schweiz|suisse|france|belgium|belgique|netherlands|the netherlands|luxembourg|spain|españa|portugal|"
    "italy|italia|greece|poland|polska|czech republic|czechia|slovakia|slovenia|hungary|"
    "romania|bulgaria|croatia|serbia|denmark|danmark|sweden|sverige|norway|norge|finland|suomi|iceland|"
    "estonia|latvia|lithuania|cyprus|malta|turkey|israel|south africa|brazil|brasil|"
    "argentina|chile|uruguay|mexico|méxico|india|china|japan|greenland|tunisia|vietnam"
)
_AFTER = re.compile(
    rf"[,\s]{{1,4}}(?:{_COUNTRY})(?![^\W_])(?:\s\d{{4,6}}(?!\w))?|[,\s]{{1,4}}\d{{4,5}}(?:-\d{{4}})?(?![\w-])(?=\s*$|[.,;\n])",
    re.IGNORECASE,
)


def _extended(finding: Finding, text: str) -> Finding:
    """Return an address with the numbers and the word *Flat* before it, and the country and the post code after it."""
    start, end = finding.start, finding.end
    while before := _BEFORE.search(text, max(0, start - 16), start):
        start = before.start()
    while after := _AFTER.match(text, end):
        end = after.end()
    return replace(finding, start=start, end=end)


def disjoint(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Make findings disjoint.

    - Overlapping findings of the same entity become one.
    - Of different entities, the higher score wins, then the longer finding. The rest of an overlapped finding is kept as a finding.

    So each character that any recogniser found is replaced exactly once.

    Returns:
        Findings in text order, none empty or blank.
    """
    kept: list[Finding] = []  # disjoint, in text order: a search of the neighbours takes log n, so a text may have a million findings
    starts: list[int] = []
    for finding in sorted(_united(findings), key=lambda f: (-f.score, f.start - f.end, f.start, f.entity, f.recognizer)):
        for piece in [trimmed for piece in _without(finding, kept, starts) if (trimmed := _trim(piece, text))]:
            place = bisect(starts, piece.start)
            starts.insert(place, piece.start)
            kept.insert(place, piece)
    return kept


def _united(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings, with overlapping ones of the same entity united under the recogniser of the higher score."""
    last: dict[str, Finding] = {}
    for finding in sorted(set(findings), key=lambda f: (f.start, -f.end, -f.score, f.recognizer)):
        before = last.get(finding.entity)
        if before and finding.start < before.end:
            best = max(before, finding, key=lambda f: f.score)
            last[finding.entity] = replace(best, start=before.start, end=max(before.end, finding.end))
        else:
            if before:
                yield before
            last[finding.entity] = finding
    yield from last.values()


def _without(finding: Finding, kept: list[Finding], starts: list[int]) -> Iterator[Finding]:
    """Yield the parts of a finding that no kept finding covers."""
    place, position = max(0, bisect(starts, finding.start) - 1), finding.start
    while place < len(kept) and kept[place].start < finding.end:
        if kept[place].start > position:
            yield replace(finding, start=position, end=kept[place].start)
        position = max(position, kept[place].end)
        place += 1
    if position < finding.end:
        yield replace(finding, start=position)


def _trim(piece: Finding, text: str) -> Finding | None:
    content = text[piece.start : piece.end]
    start = piece.start + len(content) - len(content.lstrip())
    end = piece.end - (len(content) - len(content.rstrip()))
    return replace(piece, start=start, end=end) if start < end and any(map(str.isalnum, content)) else None


# `start` and `end` count characters of the text before it was scrubbed. Equal values of an entity have the same `hash`, which is keyed.
AUDIT = pa.schema(
    [
        ("document", pa.string()), ("source", pa.string()), ("entity", pa.string()), ("start", pa.int64()), ("end", pa.int64()),
        ("length", pa.int64()),
        ("score", pa.float64()), ("recognizer", pa.string()), ("hash", pa.string()),
    ]
)  # fmt: skip
HASH_BYTES = 16


def audit_key(corpus: Path) -> bytes:
    """Return the key of an audit's hashes: a digest of the corpus before scrubbing.

    It is not the published digest of the file. Only a person who has the corpus can compute it, and that person has the values.
    """
    digest = hashlib.sha256(b"robo-poet audit\0")
    with corpus.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()


def keyed_hash(key: bytes, entity: str, value: str) -> str:
    """Return the hash of a value of an entity (HMAC-SHA-256, 16 bytes as hexadecimal digits)."""
    return hmac.digest(key, f"{entity}\0{value}".encode("utf-8", "surrogatepass"), "sha256")[:HASH_BYTES].hex()


AUDIT_GROUP_ROWS = 4_096  # findings per row group


class AuditWriter:
    """A writer that collects rows and writes them in row groups.

    Args:
        key: secret key of the hashes.
    """

    def __init__(self, writer: pq.ParquetWriter, key: bytes) -> None:
        self._writer, self._key = writer, key
        self._rows: list[dict[str, object]] = []

    def add(self, document: Document, findings: list[Finding]) -> None:
        """Add one row per finding in a document, which has its text before scrubbing."""
        for f in findings:
            self._rows.append(
                {
                    "document": document.id, "source": document.source, "entity": f.entity, "start": f.start, "end": f.end,
                    "length": f.end - f.start, "score": round(f.score, 4), "recognizer": f.recognizer,
                    "hash": keyed_hash(self._key, f.entity, document.text[f.start : f.end]),
                }
            )  # fmt: skip
        if len(self._rows) >= AUDIT_GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the collected rows."""
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, AUDIT))
            self._rows = []


@contextmanager
def new_audit(path: Path, key: bytes) -> Iterator[AuditWriter]:
    """Yield a writer of an audit that appears at `path` atomically on success."""
    with new_file(path) as temporary, pq.ParquetWriter(temporary, AUDIT, compression="zstd") as writer:
        audit = AuditWriter(writer, key)
        yield audit
        audit.flush()


def read_audit(path: Path) -> dict[str, list[tuple[str, int, int]]]:
    """Return document id → (entity, start, end) of each finding in it. Offsets count characters before scrubbing.

    Raises:
        BadInput: not an audit table.
    """
    findings: dict[str, list[tuple[str, int, int]]] = {}
    try:
        for batch in pq.ParquetFile(path).iter_batches(columns=["document", "entity", "start", "end"]):
            for document, entity, start, end in zip(*batch.to_pydict().values(), strict=True):
                findings.setdefault(document, []).append((entity, start, end))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise BadInput(f"not an audit table of scrub_pii ({error})", where=str(path), remedy="scrub the corpus again") from None
    return findings
