"""Unicode of readers and of the model, without what is not text (SERVE-3). Pure."""

import re
import unicodedata

from serving.gateway.refusals import RefusedField, half_pair

MARKS = 30  # combining marks in a row: Unicode's stream-safe form (UAX #15). Sorting more is quadratic: 0.5 s for 32,000 of them.
_PLAIN = re.compile(r"[ -~\n\t]*")


def without_controls(text: str) -> str:
    """`text` without control and format characters: U+0000–U+001F but line feed and tab, U+007F–U+009F, zero-width, bidirectional, tags.

    They steer terminals, hide words from a filter and turn lines around; in verse none is missed.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(character for character in text if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf"))


def sanitised(text: str, field: str) -> str:
    """What a reader gave, as the model shall read it: lines end in LF, controls are gone, characters are composed (NFC).

    Raises:
        Refused: half a surrogate pair, or a heap of combining marks; 422 with the field.
    """
    if _PLAIN.fullmatch(text):
        return text
    text = without_controls(text.replace("\r\n", "\n").replace("\r", "\n"))  # first: they could stand between the marks that are counted
    marks = 0
    for character in text:
        if "\ud800" <= character <= "\udfff":
            raise half_pair(field)
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > MARKS:
            told = f"more than {MARKS} combining marks on one character; leave some out"
            raise RefusedField(field, told, code="invalid_text")
    return unicodedata.normalize("NFC", text)
