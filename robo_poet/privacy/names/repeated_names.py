"""Other occurrences of the names that a model found in a document: a model may miss a name that it found in another line."""

import re
from collections.abc import Callable, Iterator, Sequence

from robo_poet.privacy.findings import Finding

PERSON = "PERSON"
REPEATED_SCORE = 0.6
_WORD = re.compile(r"\w[\w'’-]+")
_LOWER_CASE = re.compile(r"(?<![\w.@/-])[^\W\d_A-Z][\w'’-]+(?![\w@/]|\.\w)")  # not a part of an address: `anna@example.org`
_POSSESSIVE = re.compile(r"['’]s?$")
_BETWEEN = re.compile(r"[ \t]+")


def repeated_names(text: str, findings: Sequence[Finding], is_common: Callable[[str], bool]) -> Iterator[Finding]:
    """Yield the other occurrences of the words of each name of two words or more.

    - A name of one word is not searched for: it is often no name, such as "Speaker", which would be replaced throughout the text.
    - A word that is common, or that occurs in lower case in the text, is not searched for.

    Args:
        is_common: returns True for a common word of the language, given in lower case.
    """
    wanted: set[str] = set()
    for finding in findings:
        if finding.entity != PERSON:
            continue
        words = _WORD.findall(text[finding.start : finding.end])
        if len(words) > 1:
            wanted |= {word for word in words if word[0].isupper() and not is_common(word.lower())}
    if not wanted:
        return
    places = [(match.start(), match.end(), match.group()) for match in _WORD.finditer(text)]
    wanted -= {match.group().capitalize() for match in _LOWER_CASE.finditer(text)}
    start = end = -1
    for left, right, word in places:
        name = _POSSESSIVE.sub("", word)
        if word not in wanted and name not in wanted:
            continue
        right = right if word in wanted else left + len(name)
        if end >= 0 and _BETWEEN.fullmatch(text, end, left):
            end = right
            continue
        if end >= 0:
            yield Finding(PERSON, start, end, REPEATED_SCORE, "NameAgain")
        start, end = left, right
    if end >= 0:
        yield Finding(PERSON, start, end, REPEATED_SCORE, "NameAgain")
