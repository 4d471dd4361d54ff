"""Search for documents in all stored corpora, and for names and quotations in all other files."""

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.deletion.inventory import DroppedTable, Inventory, StoredCorpus, Unit, files_of
from robo_poet.corpus.curation.dropped import EXACT, NEAR, Dropped, read_dropped
from robo_poet.corpus.document import Document
from robo_poet.corpus.parquet import read_documents
from robo_poet.corpus.words import comparable
from robo_poet.deletion.selection import Selection
from robo_poet.deletion.wording import Quotes
from robo_poet.errors import BadInput

SCRUBBING = "scrub-pii"  # name of the task whose corpus has no personal data any more
CHUNK = 4 << 20  # bytes of a file in memory
CONTINUATION = bytes(range(0x80, 0xC0))  # bytes of UTF-8 that do not begin a character; a chunk can begin in the middle of one
OVERLAP = 4_096  # bytes that two chunks share, so that a name at the border is found


@dataclass
class FoundDocument:
    """A document, the corpora that contain it, and whether one of them is a corpus before scrubbing."""

    document: Document
    corpora: list[StoredCorpus] = field(default_factory=list)

    @property
    def original(self) -> bool:
        """Return True if its text before scrubbing is stored."""
        return any(corpus.step != SCRUBBING for corpus in self.corpora)


@dataclass
class LeftOut:
    """A document that ingestions left out, as their tables name it, and these tables."""

    row: Dropped
    tables: list[DroppedTable] = field(default_factory=list)

    @property
    def document(self) -> Document:
        """Return the document without its text, which is not stored."""
        row = self.row
        return Document(row.id, row.group, "", title=row.title, author=row.author, source=row.source)


@dataclass
class Search:
    """The result of a search in the stored corpora.

    Attributes:
        selected: documents by (id, SHA-256 of the text).
        ids: ids of all documents in the stored corpora.
        unreadable: units with a Parquet file that cannot be read.
        left_out: selected documents that are in no corpus of an ingestion, because it left them out.
        repeating: documents that were left out because they repeat a selected document with changed words, and are not selected.
    """

    selected: dict[tuple[str, str], FoundDocument] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    unreadable: set[Unit] = field(default_factory=set)
    left_out: list[LeftOut] = field(default_factory=list)
    repeating: list[LeftOut] = field(default_factory=list)

    @property
    def items(self) -> list[FoundDocument]:
        """Return the selected documents by their text before scrubbing, or after it if only that is stored."""
        originals = {item.document.id for item in self.selected.values() if item.original}
        return [item for item in self.selected.values() if item.original or item.document.id not in originals]

    @property
    def everything(self) -> bool:
        """Return True if all stored documents are selected."""
        return bool(self.ids) and self.ids == {id_ for id_, _ in self.selected}

    @property
    def corpora(self) -> set[StoredCorpus]:
        """Return the corpora that contain a selected document."""
        return {corpus for item in self.selected.values() for corpus in item.corpora}


def search_corpora(inventory: Inventory, selection: Selection) -> Search:
    """Find the selected documents in all stored corpora, and documents with the same comparable text or, after scrubbing, the same id.

    The documents that ingestions left out are found by id, title, author and source. The text of a selected exact duplicate is that of the
    document that was kept, so this one is selected too.
    """
    search = Search()
    copies = list[tuple[StoredCorpus, Document]]()
    texts: set[int] = set()
    search.left_out = _left_out(inventory, search, lambda row, table: selection.selects(LeftOut(row).document, table.address))
    equal = {(table.unit, item.row.duplicate_of) for item in search.left_out if item.row.reason == EXACT for table in item.tables}
    first = [(corpus, inventory.origin(corpus)) for corpus in inventory.corpora]
    for corpus, address in first:
        for document in _documents(corpus, search):
            search.ids.add(document.id)
            if selection.selects(document, address) or (corpus.unit, document.id) in equal:
                texts.add(hash(comparable(document.text)))
                copies.append((corpus, document))
    if texts:
        found = {(corpus, document.id) for corpus, document in copies}
        for corpus, _ in first:
            for document in _documents(corpus, search):
                if (corpus, document.id) not in found and hash(comparable(document.text)) in texts:
                    copies.append((corpus, document))
    for corpus, document in copies:
        search.selected.setdefault((document.id, document.sha256), FoundDocument(document)).corpora.append(corpus)
    selected = {(corpus.unit, item.document.id) for item in search.selected.values() for corpus in item.corpora}
    left_out = {item.row for item in search.left_out}
    search.repeating = _left_out(
        inventory, search, lambda row, table: row.reason == NEAR and (table.unit, row.duplicate_of) in selected and row not in left_out
    )
    return search


def _left_out(inventory: Inventory, search: Search, wanted: Callable[[Dropped, DroppedTable], bool]) -> list[LeftOut]:
    """Return the wanted documents of the tables of documents that ingestions left out. Documents deleted on request have no id."""
    rows: dict[Dropped, LeftOut] = {}
    for table in inventory.dropped:
        try:
            for row in read_dropped(table.path):
                if row.id and wanted(row, table):
                    rows.setdefault(row, LeftOut(row)).tables.append(table)
        except (BadInput, OSError, pa.ArrowException, TypeError):
            search.unreadable.add(table.unit)
    return list(rows.values())


def _documents(corpus: StoredCorpus, search: Search) -> Iterator[Document]:
    try:
        yield from read_documents(corpus.path)
    except (BadInput, OSError, pa.ArrowException, TypeError):
        search.unreadable.add(corpus.unit)


def units_that_quote(inventory: Inventory, units: list[Unit], quotes: Quotes) -> list[Unit]:
    """Return the units with a file that names the subject or quotes a document, in its content or its name."""
    corpora = {corpus.path for corpus in inventory.corpora}
    return [unit for unit in units if any(path not in corpora and mentions(path, quotes) for path in files_of(unit))]


def mentions(path: Path, quotes: Quotes) -> bool:
    """Return True if the name or the content of a file names the subject or quotes a document.

    Texts in a Parquet table are read as values. A file that is not text, such as a model, is searched for names only, as UTF-8 and
    in any case. Compressed files other than Parquet are not unpacked.
    """
    if quotes.match(path.name):
        return True
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start == b"PAR1":
            return any(quotes.match(text) for text in _strings(path))
        return any(_matches(data, quotes) for data in _chunks(path))
    except (OSError, pa.ArrowException):
        return False


def _strings(path: Path) -> Iterator[str]:
    """Yield the texts in a Parquet table, equal ones of a column once per row group."""
    with pq.ParquetFile(path) as table:
        for number in range(table.num_row_groups):
            for column in table.read_row_group(number).columns:
                if pa.types.is_string(column.type):
                    yield from filter(None, column.unique().to_pylist())
                elif pa.types.is_nested(column.type):
                    yield from set(_texts(column.to_pylist()))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _matches(data: bytes, quotes: Quotes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data.lstrip(CONTINUATION))
    except UnicodeDecodeError:
        return quotes.match_bytes(data)
    return quotes.match(text)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        before = b""
        while data := file.read(CHUNK):
            yield before + data
            before = data[-OVERLAP:]
