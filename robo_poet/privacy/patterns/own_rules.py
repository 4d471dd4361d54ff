"""Rules of a profile: regular expressions for identifiers that only its owner knows, such as the numbers of members (DATA-3)."""

from collections.abc import Iterator, Sequence

import regex

from robo_poet.errors import BadInput
from robo_poet.privacy.findings import Finding
from robo_poet.settings.base import ScrubRule

SECONDS = 2.0  # of a search in one text; a pattern without backtracking reads 20 MB in this time
NEAR = 80  # characters before and after a match in which a word of the rule must stand


class OwnRules:
    """A finder of the matches of rules.

    Raises:
        BadInput: a pattern is not a regular expression or matches the empty text.
    """

    def __init__(self, rules: Sequence[ScrubRule]) -> None:
        self._rules = [(rule.entity, _compiled(rule), _words(rule)) for rule in rules]

    def find(self, text: str) -> Iterator[Finding]:
        """Yield the matches, with score 1.

        Raises:
            BadInput: a search takes longer than 2 s. A text that cannot be searched is not passed on.
        """
        for entity, pattern, words in self._rules:
            try:
                for match in pattern.finditer(text, timeout=SECONDS):
                    if match.start() == match.end():
                        raise BadInput(f"{entity}: the pattern matches an empty text", where="scrub.rules", remedy="make it longer")
                    if words is None or words.search(text, max(0, match.start() - NEAR), match.end() + NEAR):
                        yield Finding(entity, match.start(), match.end(), 1.0, "OwnRule")
            except TimeoutError:
                raise BadInput(
                    f"the search for {entity} took more than {SECONDS:g} s in a text of {len(text):,} characters",
                    where="scrub.rules",
                    remedy="give a pattern without nested repetitions",
                ) from None


def _compiled(rule: ScrubRule) -> regex.Pattern[str]:
    try:
        pattern = regex.compile(rule.pattern)
        empty = pattern.search("", timeout=SECONDS)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise BadInput(f"{rule.entity}: not a regular expression ({error})", where="scrub.rules", remedy="correct the pattern") from None
    if empty:
        raise BadInput(f"{rule.entity}: the pattern matches the empty text", where="scrub.rules", remedy="make it longer")
    return pattern


def _words(rule: ScrubRule) -> regex.Pattern[str] | None:
    words = "|".join(regex.escape(word) for word in rule.words)
    return regex.compile(rf"(?<!\w)(?:{words})(?!\w)", regex.IGNORECASE) if words else None
