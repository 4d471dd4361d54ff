"""A normal form of text for the search for personal data, with a map of positions.

These hide nothing: full-width characters, digits of other scripts, invisible characters, escaped line breaks, and look-alike letters, such
as the Cyrillic `а` of `аnna@example.org`.
"""

import re
import unicodedata
from dataclasses import dataclass, replace

from robo_poet.privacy.findings import Finding

_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
_SUSPECT = re.compile(
    rf"[{_INVISIBLE}\uff01-\uff5e\u2010-\u2015\u2212\u00a0\u2000-\u200a\u202f\u3000\u0370-\u03ff\u0400-\u04ff]|[^\W0-9a-zA-Z_]*[^\D0-9]"
)
# a line break that was written as two characters: `\nJane` and `\nhttps://example.org`, but not `\name`
_ESCAPE = re.compile(r"\\[nrt](?![a-z])|\\[nrt](?=https?://|ftp://|www\.)")
_HIDDEN = re.compile(rf"[{_INVISIBLE}]")
_RUN = re.compile(r"[\w.@-]+")
_OTHER_SCRIPT = re.compile(r"[\u0370-\u03ff\u0400-\u04ff]")
_LATIN_LETTER = re.compile(r"[a-zA-Z]")
# Letters of other scripts that look like a Latin letter: Cyrillic, then Greek.
_LATIN = str.maketrans(
    "аеорсухіјѕһԁԛԝАВЕКМНОРСТХУІЈЅοανικρυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshdqwABEKMHOPCTXYIJSoavikpuxABEZHIKMNOPTYX",
)


@dataclass(frozen=True, slots=True)
class NormalForm:
    """A normal form.

    Args:
        text: the normal form.
        places: position in the original of each character; None if the positions are the same.
    """

    text: str
    places: list[int] | None = None

    def original(self, finding: Finding) -> Finding:
        """Return a finding in the normal form as a finding in the original."""
        if self.places is None:
            return finding
        return replace(finding, start=self.places[finding.start], end=self.places[finding.end - 1] + 1)


def normal_form(text: str) -> NormalForm:
    """Return the normal form. White space and letters that no look-alike rule names stay unchanged."""
    if "\\" in text:
        text = _ESCAPE.sub(" \n", text)
    if text.isascii() or not _SUSPECT.search(text):
        return NormalForm(text)
    visible = _RUN.sub(lambda match: _latin(match.group()), text) if _OTHER_SCRIPT.search(text) else text
    visible = _SINGLE.sub(lambda match: _ascii(match.group()), visible)
    if not _HIDDEN.search(visible):
        return NormalForm(visible)
    places = [place for place, character in enumerate(visible) if not _HIDDEN.match(character)]
    return NormalForm("".join(visible[place] for place in places), places)


_SINGLE = re.compile(r"[\uff01-\uff5e\u2010-\u2015\u2212\u00a0\u2000-\u200a\u202f\u3000]|(?![0-9])\d")


def _latin(run: str) -> str:
    """Return a run of characters with Latin letters for look-alikes, if it mixes scripts."""
    return run.translate(_LATIN) if _OTHER_SCRIPT.search(run) and _LATIN_LETTER.search(run) else run


def _ascii(character: str) -> str:
    """Return the ASCII form of a full-width character, a digit, a space or a hyphen."""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if unicodedata.category(character) == "Zs":
        return " "
    if "\uff01" <= character <= "\uff5e":
        return chr(ord(character) - 0xFEE0)
    return "-"
