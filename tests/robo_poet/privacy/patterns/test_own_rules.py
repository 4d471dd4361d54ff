import pytest
from pydantic import ValidationError

from robo_poet.errors import BadInput
from robo_poet.privacy.patterns import own_rules
from robo_poet.privacy.patterns.finder import PatternFinder
from robo_poet.privacy.patterns.own_rules import OwnRules
from robo_poet.settings.base import ScrubRule

MEMBER = ScrubRule(entity="MEMBER_ID", pattern=r"\bM-\d{4}\b", words=("member", "Mitglied"))


def matches(text: str, *rules: ScrubRule) -> list[str]:
    return [text[finding.start : finding.end] for finding in PatternFinder(0.4, rules).find(text) if finding.recognizer == "OwnRule"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the member M-1234 came", ["M-1234"]),
        ("M-1234, ein MITGLIED, und M-9999", ["M-1234", "M-9999"]),
        ("membership M-1234", []),
        ("M-1234 " + "is far from the word " * 6 + "member", []),
        ("a member without a number", []),
        ("member Ｍ－１２３４", ["Ｍ－１２３４"]),
    ],
)
def test_a_rule_with_words_matches_near_one_of_them(text: str, expected: list[str]) -> None:
    assert matches(text, MEMBER) == expected


def test_a_rule_without_words_matches_everywhere() -> None:
    assert matches("M-1234 m-1234", ScrubRule(entity="ID", pattern=r"M-\d{4}")) == ["M-1234"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "scrub.rules: ID: not a regular expression"),
        ("a*", "the pattern matches the empty text; make it longer"),
        ("(?P<a>x)(?P<a>y", "not a regular"),
    ],
)
def test_a_wrong_pattern_is_one_line(pattern: str, message: str) -> None:
    with pytest.raises(BadInput, match=message.replace("(", "\\(")) as error:
        OwnRules([ScrubRule(entity="ID", pattern=pattern)])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("pattern", [r"\b", "(?<=M-)", "(?<=x)$"])
def test_a_pattern_that_matches_nothing_of_a_text_is_refused(pattern: str) -> None:
    with pytest.raises(BadInput, match="ID: the pattern matches an empty text; make it longer"):
        matches("member M-1234 x\u200b", ScrubRule(entity="ID", pattern=pattern))


def test_a_pattern_that_backtracks_stops_the_step_and_lets_no_text_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_rules, "SECONDS", 0.05)
    slow = OwnRules([ScrubRule(entity="ID", pattern=r"(?:a|a)+(?:a|a)+(?:a|a)+c(?!d)b")])
    with pytest.raises(BadInput, match="scrub.rules: the search for ID took more than 0.05 s in a text of 5,000 characters"):
        list(slow.find("a" * 5_000))


@pytest.mark.parametrize("change", [{"entity": "member"}, {"entity": "<X>"}, {"pattern": ""}, {"colour": "red"}, {"pattern": "x" * 1001}])
def test_settings_have_bounds(change: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ScrubRule.model_validate({"entity": "ID", "pattern": "x"} | change)
