import time
from typing import Any

import pytest
from pydantic import ValidationError

from robo_poet.errors import BadInput
from robo_poet.settings.content_filter import AddedRule, ContentFilterSettings, Sides
from serving.content_filter.added_rules import BUDGET_SECONDS, AddedRuleJudge
from serving.content_filter.decision import FilterDecision, Side
from serving.content_filter.filter import ContentFilter
from serving.content_filter.passage import Passage

ORION = AddedRule(name="project_names", pattern=r"\bproject (orion|nimbus)\b", category="secret")


def judge(*rules: AddedRule) -> AddedRuleJudge:
    return AddedRuleJudge(rules, ["iban"])


def found(rule: AddedRule, text: str, side: Side = "prompt", before: str = "") -> str:
    hit = judge(rule).find(Passage(text, before), side)
    return hit.rule if hit else ""


@pytest.mark.parametrize(
    ("text", "before", "hit"),
    [
        ("the project Orion", "", True),
        ("PROJECT NIMBUS!", "", True),
        ("рroject öriоn", "", True),  # Cyrillic letters and an accent
        ("project orionis", "", False),
        ("a project of Orion", "", False),
        ("Orion rises", "we speak of project ", True),  # begins in the prompt
        (" rises", "we speak of project Orion", False),  # the prompt's own
        ("", "", False),
    ],
)
def test_a_pattern_is_found_in_any_case_and_disguise(text: str, before: str, hit: bool) -> None:
    assert found(ORION, text, "completion", before) == ("rules.project_names" if hit else "")


def test_a_pattern_may_ask_for_letters_that_folding_changes() -> None:
    assert found(AddedRule(name="greek", pattern="Ω{2}"), "a ΩΩ") == "rules.greek"


def test_a_rule_applies_on_its_sides_only() -> None:
    rule = AddedRule(name="prompts", pattern="rose", sides=("prompt",))
    assert found(rule, "a rose", "prompt") == "rules.prompts" and found(rule, "a rose", "completion") == ""


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a|aa)+$", "a" * 5_000 + "b"),
        (r"(x+x+)+y", "x" * 10_000),
        (r".*a.*b.*c.*d", "a b c " * 1_600),
        (r"(?:\w+\W*)*\d\d", "word " * 2_000 + "1"),
    ],
)
def test_a_pattern_that_backtracks_ends_at_the_time_limit(pattern: str, text: str) -> None:
    rules = judge(AddedRule(name="slow", pattern=pattern), ORION)
    start = time.process_time()
    hit = rules.find(Passage(text), "prompt")
    assert hit is None or hit.rule == "rules.time_limit"
    assert time.process_time() - start < 10 * BUDGET_SECONDS


def test_a_text_that_could_not_be_checked_is_refused() -> None:
    rules: Any = [{"name": "slow", "pattern": "(a|aa)+$"}]
    filtering = ContentFilter(ContentFilterSettings(rules_added=rules, rules_off=("repeated_character",)))
    assert filtering.check("a" * 5_000 + "b", "completion") == FilterDecision(False, "rules.time_limit", "unchecked")


def test_many_rules_on_a_long_text_stay_within_the_time_limit() -> None:
    rules = [AddedRule(name=f"rule_{number}", pattern=rf"\b(?:word{number}|name{number})[ -]\d{{2,6}}\b") for number in range(32)]
    assert judge(*rules).find(Passage("a long text with words 12 and names " * 280), "prompt") is None


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        (
            [{"name": "open", "pattern": "(rose"}],
            r"content_filter.rules_added: open: not a regular expression \(missing \) at position 5\); correct the pattern",
        ),
        ([{"name": "all", "pattern": "x*"}], "all: the pattern matches the empty text, so it matches every text; make it longer"),
        ([{"name": "iban", "pattern": "x"}], "the name iban is taken; give another name"),
        ([{"name": "time_limit", "pattern": "x"}], "the name time_limit is taken"),
        ([{"name": "a", "pattern": "x"}, {"name": "a", "pattern": "y"}], "the name a is taken"),
    ],
)
def test_a_bad_rule_is_one_line_at_the_start(rules: list[dict[str, Any]], line: str) -> None:
    off = Sides(prompt="off", completion="off")
    with pytest.raises(BadInput, match=line):
        ContentFilter(ContentFilterSettings(rules_added=rules, rules=off))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "rule", [{"name": "Bad Name", "pattern": "x"}, {"name": "a", "pattern": ""}, {"name": "a"}, {"name": "a", "pattern": "x", "sides": []}]
)
def test_the_settings_refuse_an_incomplete_rule(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="rules_added"):
        ContentFilterSettings(rules_added=[rule])  # type: ignore[arg-type]


def test_added_rules_have_the_mode_of_the_rules() -> None:
    settings: dict[str, Any] = {"rules_added": [{"name": "rose", "pattern": "rose", "category": "flower"}]}
    assert ContentFilter(ContentFilterSettings(**settings)).check("a rose", "prompt") == FilterDecision(False, "rules.rose", "flower")
    logged = ContentFilter(ContentFilterSettings(**settings, rules=Sides(prompt="log", completion="off")))
    assert logged.check("a rose", "prompt") == FilterDecision(True, "rules.rose", "flower")
    assert logged.check("a rose", "completion") == FilterDecision(True)
