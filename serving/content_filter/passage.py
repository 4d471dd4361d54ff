"""The input of the judges: a text, the text before it, and both folded to plain lower-case Latin letters.

- Folding lets the judges find disguised words. It replaces compatibility forms (NFKD), case and look-alikes, and removes accents and
  invisible characters. It works character by character, so it takes linear time, and folding a folded text changes nothing.
- The tables of look-alikes are in `lookalikes`.
- A disguised text can also run backwards or upside down. `readings` contains the text in each of these forms.
"""

import unicodedata
from dataclasses import dataclass
from functools import cached_property

from robo_poet.privacy.patterns.false_alarms import without_impersonal_numbers
from serving.content_filter.lookalikes import LOOKALIKES, TURNED, TURNED_LETTERS

CACHED_CHARACTERS = 8192  # number of cached characters, which limits the memory; other characters only take more time
# Invisible characters whose Unicode category is not an invisible one: Hangul fillers and the empty Braille cell.
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def fold(text: str) -> str:
    """Return the folded text.

    Lone surrogates and control characters are removed, every kind of space becomes a plain space, and decimal digits of all
    scripts become 0 to 9. Other characters without a Latin look-alike stay.
    """
    return text.translate(_TABLE)


class _Table(dict[int, str]):
    """A cache from code point to folded text, filled on first use."""

    def __missing__(self, code: int) -> str:
        folded = _fold_repeatedly(chr(code))
        if len(self) < CACHED_CHARACTERS:
            self[code] = folded
        return folded


def _fold_repeatedly(text: str) -> str:
    text = LOOKALIKES.get(text, text)  # before NFKD, which would turn a lunate sigma into an o
    for _ in range(8):  # some characters need two rounds, none needs more than three
        refolded = "".join(
            _fold_character(character) for character in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        )
        if refolded == text:
            break
        text = refolded
    return text


def _fold_character(character: str) -> str:
    if character in LOOKALIKES:
        return LOOKALIKES[character]
    if character in "\n\r\t":
        return character
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp") or character in "\x0b\x0c\x85":
        return " "
    if category in ("Mn", "Me", "Cf", "Cc", "Cs", "Cn", "Co") or character in _INVISIBLE:
        return ""
    return str(unicodedata.decimal(character)) if category == "Nd" else character


_TABLE = _Table()


CONTEXT_CHARACTERS = 128  # characters before the text in which a word or a restricted text may start


@dataclass(frozen=True)
class Passage:
    """A text to check, with its context.

    Attributes:
        text: the original text.
        before: the text before it: the prompt, if `text` is a completion. A hit may start here but must end within `text`.
    """

    text: str
    before: str = ""

    @cached_property
    def folded(self) -> str:
        """The folded `text`: plain lower-case letters."""
        return fold(self.text)

    @cached_property
    def numbers(self) -> str:
        """The folded text without numbers that are no person's: dates, versions, amounts, book numbers, UUIDs."""
        return without_impersonal_numbers(self.folded)

    @cached_property
    def folded_before(self) -> str:
        """The last `CONTEXT_CHARACTERS` characters of `before`, folded. A cut first word is dropped."""
        tail = self.before[-CONTEXT_CHARACTERS:]
        if len(self.before) > CONTEXT_CHARACTERS:
            tail = tail.partition(" ")[2]
        return fold(tail)

    @cached_property
    def whole_words(self) -> str:
        """The folded text. If its first word starts in `before`, the start of that word is included."""
        if not self.folded or self.folded[0].isspace():
            return self.folded
        before = self.folded_before
        last_space = max((i for i, character in enumerate(before) if character.isspace()), default=-1)
        return before[last_space + 1 :] + self.folded

    @cached_property
    def readings(self) -> tuple[str, ...]:
        """`whole_words` forwards and backwards. For a text with letters that are turned upside down, also turned back, both ways."""
        texts = [self.whole_words]
        if not self.text.isascii() and not TURNED_LETTERS.isdisjoint(self.text):
            texts.append(fold(self.text.translate(TURNED)))
        return tuple(reading for text in texts for reading in (text, text[::-1]))
