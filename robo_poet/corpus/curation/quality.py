"""Quality rules for single documents: bounds of `ingest.quality`, each with the value that is measured.

The measures are those of the quality filters of Gopher (Rae et al. 2021, table A1): number of words, words with a letter, repeated lines.
"""

import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from robo_poet.corpus.curation.dropped import DAMAGED, FEW_LETTERS, FEW_WORDS, LANGUAGE, REPEATED_LINES
from robo_poet.corpus.curation.shingles import SHORT_WORDS
from robo_poet.corpus.document import Document, language_code
from robo_poet.corpus.words import separate_words
from robo_poet.settings.data import QualitySettings

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LANGUAGE_CHARACTERS = 2_000  # enough to identify 139 languages; takes 0.2 ms per document
EXCERPTS = 4  # of a longer text
# Nigerian Pidgin: its words are mostly English ones. It was found in 1.3 % of 520 kB of English changelogs, entry by entry.
NOT_DETECTED = frozenset({"pcm"})
# U+FFFD, and all control characters except tab and line ends
DAMAGED_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
Failure = tuple[str, float | None, str]  # reason, measured value, detected or declared language (of the reason `language`)


def language_of(text: str) -> str:
    """Return the ISO 639 code of the likeliest language, from 2,000 characters. Text without words can be `zxx`.

    The characters of a longer text are from four places, because a book can begin with a title page or a licence in another language.
    """
    if len(text) > LANGUAGE_CHARACTERS:
        size = LANGUAGE_CHARACTERS // EXCERPTS
        starts = [(len(text) - size) * number // (EXCERPTS - 1) for number in range(EXCERPTS)]
        text = "\n".join(text[start : start + size] for start in starts)
    return str(_identifier().classify(text)[0])


@functools.cache
def _identifier() -> "LanguageIdentifier":
    from py3langid import langid  # loads its model in 0.6 s, so import it only if a document needs it

    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    identifier.set_languages([code for code in identifier.labels if code not in NOT_DETECTED])
    return identifier


def failed_rule(document: Document, bounds: QualitySettings) -> Failure | None:
    """Return the first rule that a document with text fails; None if it fails none."""
    return next(_failures(document, bounds), None)


def _failures(document: Document, bounds: QualitySettings) -> Iterator[Failure]:
    text = document.text
    if bounds.max_damaged_share < 1 and (share := len(DAMAGED_CHARACTER.findall(text)) / len(text)) > bounds.max_damaged_share:
        yield DAMAGED, share, ""
    if bounds.min_words and (count := _words(text, bounds.min_words)) < bounds.min_words:
        yield FEW_WORDS, count, ""
    if bounds.min_lettered_word_share and (share := _lettered_share(text)) < bounds.min_lettered_word_share:
        yield FEW_LETTERS, share, ""
    if bounds.max_repeated_line_share < 1 and (share := _repeated_share(text)) > bounds.max_repeated_line_share:
        yield REPEATED_LINES, share, ""
    if bounds.languages and (language := _language(document)) and language not in bounds.languages:
        yield LANGUAGE, None, language


def _words(text: str, most: int) -> int:
    """Return the number of words, counted up to `most`."""
    return min(most, len(separate_words(text).split(maxsplit=most)))


def _lettered_share(text: str) -> float:
    words = text.split()
    return sum(any(map(str.isalpha, word)) for word in words) / len(words)


def _repeated_share(text: str) -> float:
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    return 1 - len(set(lines)) / len(lines) if lines else 0.0


def _language(document: Document) -> str:
    """Return the code of the language; empty if none is declared and the text is too short to detect it."""
    if document.language:
        return language_code(document.language)
    return language_of(document.text) if _words(document.text, SHORT_WORDS) >= SHORT_WORDS else ""
