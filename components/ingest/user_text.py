"""The user's own .txt and .md files: a file a document and a work."""

import re
from collections.abc import Iterator
from pathlib import Path

from components.ingest.text_file import read_text
from robo_poet.corpus.document import Document

SOURCE = "user"  # a constant and no setting: contributed text always gets the full privacy treatment (contract 11)
CUT = re.compile(r"^(?:-{3,}[ \t]*|\f)\r?$", re.MULTILINE)


def folder_documents(folder: Path, files: list[Path]) -> Iterator[Document]:
    """A document for each file, named by its path inside `folder`.

    Raises:
        BadInput: a file is empty, binary, not UTF-8 or not readable; one bad file stops the run.
    """
    for file in files:
        name = file.relative_to(folder).as_posix()
        yield Document(id=name, group=name, text=read_text(file), title=file.stem, source=SOURCE)


def file_documents(file: Path) -> Iterator[Document]:
    """The works in a single file, cut where a line holds nothing but `---` or a form feed; without one it is a single work.

    A work is named by its number, which moves when one is added above; so it has no group, and gets its split by its content.

    Raises:
        BadInput: as `folder_documents`.
    """
    works = [work.strip("\r\n") for work in CUT.split(read_text(file)) if work.strip()]
    for number, text in enumerate(works, start=1):
        yield Document(id=f"{file.name}#{number}", group="", text=text, title=f"{file.stem} {number}", source=SOURCE)
