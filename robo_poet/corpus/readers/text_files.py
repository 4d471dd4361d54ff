"""Readers of text files: a folder or archive of files, and a single file of several works.

With fewer works than splits, each work is divided into parts, unless `ingest.few_works` is `keep`; so is a work of a single file that holds
more than half of the text. The licence that Project Gutenberg adds to each of its books is left out: it would be a tenth of a short book,
and it is English, whatever the language of the book.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from robo_poet.corpus.compression import plain_name
from robo_poet.corpus.document import LINE_END, Document
from robo_poet.corpus.parquet import SPLITS
from robo_poet.corpus.readers.division import HUGE_WORK, divide
from robo_poet.corpus.readers.encoding import Decoder
from robo_poet.corpus.readers.reading_log import ReadingLog
from robo_poet.corpus.source_files import SourceFiles
from robo_poet.errors import BadInput

SOURCE = "user"  # a constant, not a setting: user text always gets the full privacy treatment (contract 11)
WORK_SEPARATOR = re.compile(r"^(?:---[ \t]*|\f)$", re.MULTILINE)  # a longer line of hyphens is a rule, as in terminal output
_GUTENBERG = re.compile(r"^\*{3} ?(START|END) OF (?:THE|THIS) PROJECT GUTENBERG EBOOK\b.*\*{3}[ \t]*$", re.MULTILINE | re.IGNORECASE)


def read_text(files: SourceFiles, name: str, encoding: str, log: ReadingLog) -> str:
    """Return the text of a file, without a byte order mark. Reads the whole file into memory.

    Args:
        name: the document; empty for the source itself.
        encoding: `ingest.encoding`, the encoding of lines that are not Unicode; empty refuses them.
        log: counts what is assumed.

    Raises:
        BadInput: the file is empty, binary, in another encoding, too large, damaged or not readable.
    """
    where = files.where(name)
    with files.open(name) as file:
        text = Decoder(where, encoding, log).text(file)
    if not text.strip():
        raise BadInput("the file is empty", where=where, remedy="remove it or put text in it")
    return text


def folder_documents(files: SourceFiles, encoding: str, log: ReadingLog, divides: bool) -> Iterator[Document]:
    """Yield one document per file. The id is the path relative to the folder.

    Args:
        divides: divide the files into parts if there are fewer files than splits. The id of a part is `path#number`.

    Raises:
        BadInput: see `read_text`. One bad file stops the run.
    """
    divides = divides and len(files.names) < len(SPLITS)
    with files.reading():
        for name in files.names:
            where = files.where(name)
            books = _without_licence(LINE_END.sub("\n", read_text(files, name, encoding, log)), where, log)
            parts = _parts(books, where, log) if divides else []
            title = PurePosixPath(plain_name(name)).stem
            if len(parts) > 1:
                yield from _numbered(parts, name, title)
            else:
                yield Document(id=name, group=name, text="\n\n".join(books), title=title, source=SOURCE)


def file_documents(files: SourceFiles, encoding: str, log: ReadingLog, divides: bool) -> Iterator[Document]:
    """Yield the works of a single file. A line of three hyphens, or a form feed, separates works.

    The id is the number of the work, from 1. The number would change if a work were inserted above. So the group is empty, and the split
    depends on the content.

    Args:
        divides: divide the works into parts if there are fewer works than splits; else a work that holds more than half of the text.

    Raises:
        BadInput: see `read_text`.
    """
    where, name = files.where(""), files.root.name
    with files.reading():
        text = LINE_END.sub("\n", read_text(files, "", encoding, log))  # a separator is a line of its own in an old Mac file, too
    books = [book for work in WORK_SEPARATOR.split(text) if work.strip() for book in _without_licence(work, where, log)]
    works = [book.strip("\n") for book in books]
    if divides:
        works = _divided(works, where, log)
    yield from _numbered(works, name, PurePosixPath(plain_name(name)).stem)


def _divided(works: Sequence[str], where: str, log: ReadingLog) -> list[str]:
    """Return the works, those that are too large divided into parts."""
    if len(works) < len(SPLITS):
        return _parts(works, where, log)
    total = sum(map(len, works))
    return [part for work in works for part in (_parts([work], where, log) if len(work) > HUGE_WORK * total else [work])]


def _numbered(texts: Iterable[str], name: str, title: str) -> Iterator[Document]:
    for number, text in enumerate(texts, start=1):
        yield Document(id=f"{name}#{number}", group="", text=text, title=f"{title} {number}", source=SOURCE)


def _parts(works: Iterable[str], where: str, log: ReadingLog) -> list[str]:
    """Return the parts of all works, and note how they were divided."""
    divisions = [divide(work) for work in works]
    parts = [part.strip("\n") for division in divisions for part in division.parts if part.strip()]
    if places := frozenset[str]().union(*(division.places for division in divisions)):
        log.divide(where, len(parts), " and ".join(sorted(places, reverse=True)))
    return parts


def _without_licence(text: str, where: str, log: ReadingLog) -> list[str]:
    """Return the books between the marks of Project Gutenberg; the whole text if its marks are not a start and an end for each book.

    So nothing is left out of a text that only quotes the marks, or of a book with one mark.
    """
    marks = list(_GUTENBERG.finditer(text))
    kinds = [mark[1].upper() for mark in marks]
    books = [text[start.end() : end.start()].strip("\n") for start, end in zip(marks[::2], marks[1::2], strict=False)]
    if not marks or kinds != ["START", "END"] * len(books) or not all(book.strip() for book in books):
        return [text]
    log.leave_out(where, len(text) - sum(map(len, books)))
    return books
