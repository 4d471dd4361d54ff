"""Readers of text files: a folder or archive of files, and a single file of several works."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from robo_poet.corpus.compression import plain_name
from robo_poet.corpus.document import Document
from robo_poet.corpus.readers.encoding import Decoder
from robo_poet.corpus.readers.reading_log import ReadingLog
from robo_poet.corpus.source_files import SourceFiles
from robo_poet.errors import BadInput

SOURCE = "user"  # a constant, not a setting: user text always gets the full privacy treatment (contract 11)
WORK_SEPARATOR = re.compile(r"^(?:-{3,}[ \t]*|\f)\r?$", re.MULTILINE)
_LONE_RETURN = re.compile(r"\r(?!\n)")


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


def folder_documents(files: SourceFiles, encoding: str, log: ReadingLog) -> Iterator[Document]:
    """Yield one document per file. The id is the path relative to the folder.

    Raises:
        BadInput: see `read_text`. One bad file stops the run.
    """
    with files.reading():
        for name in files.names:
            text = read_text(files, name, encoding, log)
            yield Document(id=name, group=name, text=text, title=PurePosixPath(plain_name(name)).stem, source=SOURCE)


def file_documents(files: SourceFiles, encoding: str, log: ReadingLog) -> Iterator[Document]:
    """Yield the works of a single file. A line of three or more hyphens, or a form feed, separates works.

    The id is the number of the work, from 1. The number would change if a work were inserted above. So the group is empty, and the split
    depends on the content.

    Raises:
        BadInput: see `read_text`.
    """
    with files.reading():
        whole = read_text(files, "", encoding, log)
    text = _LONE_RETURN.sub("\n", whole)  # a separator is a line of its own in an old Mac file, too
    works = [work.strip("\r\n") for work in WORK_SEPARATOR.split(text) if work.strip()]
    name = files.root.name
    stem = PurePosixPath(plain_name(name)).stem
    for number, text in enumerate(works, start=1):
        yield Document(id=f"{name}#{number}", group="", text=text, title=f"{stem} {number}", source=SOURCE)
