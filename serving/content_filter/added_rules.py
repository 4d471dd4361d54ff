"""The judge for rules of an operator: named regular expressions from the settings, with a time limit (SERVE-4).

The bundled rules run in linear time by construction. An operator's pattern may backtrack exponentially, so the package `regex` searches
with a timeout. `re` has none, and would block the gateway's event loop.
"""

import time
from collections.abc import Iterator, Sequence

import regex

from robo_poet.errors import BadInput
from robo_poet.settings.content_filter import AddedRule
from serving.content_filter.decision import Hit, Side
from serving.content_filter.passage import CONTEXT_CHARACTERS, Passage, fold

BUDGET_SECONDS = 0.05  # CPU time of all added rules for one text. 20 rules without backtracking take 0.4 ms (500 characters), 7 (10,000)
UNCHECKED = Hit("rules.time_limit", "unchecked")
WHERE = "content_filter.rules_added"


class AddedRuleJudge:
    """A judge that searches the patterns in the original text and in the folded text, without regard to case.

    A pattern may start in the text before. If the patterns exceed the time limit, the text counts as a hit of the rule `time_limit`:
    a text that cannot be checked is not allowed.

    Raises:
        BadInput: a name occurs twice or belongs to a bundled rule, a pattern is not a regular expression or matches the empty text.
    """

    def __init__(self, rules: Sequence[AddedRule], bundled: Sequence[str]) -> None:
        taken = {*bundled, "time_limit"}
        self._rules: dict[Side, list[tuple[Hit, regex.Pattern[str]]]] = {"prompt": [], "completion": []}
        for rule in rules:
            if rule.name in taken:
                raise BadInput(f"the name {rule.name} is taken", where=WHERE, remedy="give another name")
            taken.add(rule.name)
            pattern = _compiled(rule)
            for side in rule.sides:
                self._rules[side].append((Hit(f"rules.{rule.name}", rule.category), pattern))

    def find(self, passage: Passage, side: Side) -> Hit | None:
        """Return a hit for the first pattern that matches, or None."""
        rules, texts = self._rules[side], list(_texts(passage))
        end = time.thread_time() + BUDGET_SECONDS  # CPU time: a busy machine must not refuse texts
        for hit, pattern in rules:
            for start, text in texts:
                try:
                    if _ends_after(pattern, text, start, end - time.thread_time()):
                        return hit
                except TimeoutError:
                    return UNCHECKED
        return None


def _texts(passage: Passage) -> Iterator[tuple[int, str]]:
    """Yield the original and the folded text with the end of the text before, and where the text itself starts."""
    before = passage.before[-CONTEXT_CHARACTERS:]
    yield len(before), before + passage.text
    folded_before = fold(before)
    yield len(folded_before), folded_before + passage.folded


def _ends_after(pattern: regex.Pattern[str], text: str, start: int, seconds: float) -> bool:
    """Return True if a match ends after `start`.

    Raises:
        TimeoutError: the search took longer than `seconds` of CPU time, as `regex` measures it.
    """
    if seconds <= 0:
        raise TimeoutError
    return any(match.end() > start for match in pattern.finditer(text, timeout=seconds))


def _compiled(rule: AddedRule) -> regex.Pattern[str]:
    try:
        pattern = regex.compile(rule.pattern, regex.IGNORECASE)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        raise BadInput(f"{rule.name}: not a regular expression ({error})", where=WHERE, remedy="correct the pattern") from None
    if pattern.search("", timeout=BUDGET_SECONDS):
        raise BadInput(f"{rule.name}: the pattern matches the empty text, so it matches every text", where=WHERE, remedy="make it longer")
    return pattern
