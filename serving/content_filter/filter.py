"""The content filter. It runs all judges in order, the cheapest first (SERVE-4)."""

from typing import Protocol

import httpx

from robo_poet.settings.content_filter import ContentFilterSettings, Mode, Sides
from serving.content_filter.added_rules import AddedRuleJudge
from serving.content_filter.decision import FilterDecision, Hit, Side
from serving.content_filter.listed_words import WordJudge
from serving.content_filter.moderation import ModerationClient
from serving.content_filter.passage import Passage, fold
from serving.content_filter.restricted_texts import RestrictedTextJudge, bundled_texts
from serving.content_filter.rules import RULES, RuleJudge
from serving.content_filter.toxicity import ToxicityJudge
from serving.content_filter.word_list import LIST_FOLDER, at_least, parse_entry, read_list


class Judge(Protocol):
    """A check for one kind of content."""

    def find(self, passage: Passage, side: Side, /) -> Hit | None:
        """Return a hit, or None if the text passes."""


class ContentFilter:
    """A filter for prompts and completions.

    Create it once, at the start: the toxicity classifier takes one to two seconds to load.

    Args:
        settings: which judges run, and whether a hit refuses the text or is only logged.
        transport: an httpx transport for the moderation service, for tests.

    Attributes:
        restricted: texts that are never generated. Pass them to the graph as banned tokens (`Tokenizer.tokens_containing`).

    Raises:
        BadInput: a setting has an unknown rule, an invalid pattern or an invalid word, or the moderation service has no valid key.
    """

    def __init__(self, settings: ContentFilterSettings | None = None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        chosen = settings or ContentFilterSettings()
        self._judges: list[tuple[Judge, Sides]] = []
        if _is_enabled(chosen.rules):
            self._judges.append((RuleJudge(chosen.rules_off), chosen.rules))
        if chosen.rules_added:
            self._judges.append((AddedRuleJudge(chosen.rules_added, [rule.name for rule in RULES]), chosen.rules))
        if _is_enabled(chosen.words):
            added_entries = [parse_entry(word, "severe", "added", "content_filter.words_added") for word in chosen.words_added]
            words = WordJudge(
                [*added_entries, *at_least(read_list(LIST_FOLDER / "english.txt"), chosen.words_from)],
                [fold(word) for word in chosen.words_allowed],
            )
            self._judges.append((words, chosen.words))
        restricted = RestrictedTextJudge([*bundled_texts(), *chosen.restricted_texts])
        self.restricted: tuple[str, ...] = restricted.banned if chosen.restricted == "refuse" else ()
        if chosen.restricted != "off":
            self._judges.append((restricted, Sides(prompt="off", completion=chosen.restricted)))
        if _is_enabled(chosen.toxicity):
            self._judges.append((ToxicityJudge(chosen.toxicity_threshold, chosen.toxicity_ignores), chosen.toxicity))
        self._service = ModerationClient(chosen.moderation, transport) if chosen.moderation.called else None
        self._service_sides = chosen.moderation.sides

    def check(self, text: str, side: Side, before: str = "") -> FilterDecision:
        """Check a text with the local judges. Return the first hit that refuses, or else the first hit that is only logged.

        Args:
            before: the prompt, if the text is a completion. A word that starts in the prompt is then checked as a whole.
        """
        passage = Passage(text, before)
        logged: FilterDecision | None = None
        for judge, sides in self._judges:
            mode = _mode(sides, side)
            if mode == "off" or (mode == "log" and logged):
                continue
            if hit := judge.find(passage, side):
                if mode == "refuse":
                    return FilterDecision(False, hit.rule, hit.category)
                logged = FilterDecision(True, hit.rule, hit.category)
        return logged or FilterDecision(True)

    async def moderate(self, text: str, side: Side) -> FilterDecision:
        """Check a text with the moderation service. If there is no service, every text is allowed.

        A failure of the service does not raise; the setting `on_failure` decides.
        """
        mode = _mode(self._service_sides, side)
        if self._service is None or mode == "off" or not text.strip():
            return FilterDecision(True)
        hit = await self._service.find(text)
        return FilterDecision(mode != "refuse", hit.rule, hit.category) if hit else FilterDecision(True)

    async def aclose(self) -> None:
        """Close the connections to the moderation service."""
        if self._service is not None:
            await self._service.aclose()


def _is_enabled(sides: Sides) -> bool:
    return (sides.prompt, sides.completion) != ("off", "off")


def _mode(sides: Sides, side: Side) -> Mode:
    return sides.prompt if side == "prompt" else sides.completion
