import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from robo_poet.errors import BadInput
from robo_poet.settings.content_filter import ContentFilterSettings, Sides
from serving.content_filter.decision import FilterDecision, Side
from serving.content_filter.filter import ContentFilter
from tests.serving.content_filter.test_passage import ANYTHING

OFF = Sides(prompt="off", completion="off")
LOG = Sides(prompt="log", completion="log")
DEFAULT = ContentFilter()
INSULT = "You stupid, worthless idiot!"
MAIL = "write to romeo@verona.example"


def made(**settings: Any) -> ContentFilter:
    return ContentFilter(ContentFilterSettings(**settings))


@pytest.mark.parametrize(
    ("text", "side", "rule", "category"),
    [
        ("Shall I compare thee to a summer's day?", "prompt", "", ""), ("", "prompt", "", ""), (INSULT, "prompt", "toxicity", "toxicity"), (INSULT, "completion", "toxicity", "toxicity"),
        (MAIL, "prompt", "", ""), (MAIL, "completion", "rules.email_address", "personal_data"), ("what utter sh1t", "prompt", "words.strong", "obscene"),
    ],
)  # fmt: skip
def test_the_first_hit_decides(text: str, side: Side, rule: str, category: str) -> None:
    assert DEFAULT.check(text, side) == FilterDecision(not rule, rule, category)


@pytest.mark.parametrize("judge", ["rules", "words", "toxicity"])
def test_each_judge_has_a_mode_for_each_side(judge: str) -> None:
    text = {"rules": "-----BEGIN PRIVATE KEY-----", "words": "what utter sh1t", "toxicity": INSULT}[judge]
    alone = dict.fromkeys(("rules", "words", "toxicity"), OFF)
    rule = made(**alone | {judge: Sides()}).check(text, "prompt").rule
    assert rule.startswith(judge)
    half = made(**alone | {judge: Sides(prompt="log", completion="refuse")})
    assert half.check(text, "prompt") == FilterDecision(True, rule, half.check(text, "completion").category)
    assert not half.check(text, "completion").allowed
    quiet = made(**alone | {judge: Sides(prompt="off", completion="refuse")})
    assert quiet.check(text, "prompt") == FilterDecision(True)


def test_a_refusal_outranks_a_logged_hit_and_the_first_logged_hit_is_reported() -> None:
    both = "what utter sh1t, you stupid idiot"
    assert made(words=LOG).check(both, "prompt") == FilterDecision(False, "toxicity", "toxicity")
    assert made(words=LOG, toxicity=LOG).check(both, "prompt") == FilterDecision(True, "words.strong", "obscene")


def test_restricted_texts_are_banned_in_the_graph_and_refused_across_tokens() -> None:
    one = made(restricted_texts=("wild thyme",))
    assert {"wild thyme", "WILD THYME"} <= set(one.restricted) and set(DEFAULT.restricted) < set(one.restricted)
    assert one.check("where the Wild Thyme blows", "completion") == FilterDecision(False, "restricted", "restricted")
    assert one.check(" thyme blows", "completion", before="where the wild") == FilterDecision(False, "restricted", "restricted")
    assert one.check("where the wild thyme blows", "prompt") == FilterDecision(True)


@pytest.mark.parametrize(("mode", "decision"), [("off", FilterDecision(True)), ("log", FilterDecision(True, "restricted", "restricted"))])
def test_restricted_texts_that_are_not_refused_are_not_banned(mode: str, decision: FilterDecision) -> None:
    one = made(restricted=mode, restricted_texts=("wild thyme",))
    assert one.restricted == () and one.check("the wild thyme", "completion") == decision


def test_words_can_be_added_allowed_and_limited_by_severity() -> None:
    assert made(words_added=("Thyme", "basil*")).check("wild thyme", "prompt") == FilterDecision(False, "words.severe", "added")
    assert not made(words_added=("Thyme", "basil*")).check("basilisk", "prompt").allowed
    assert made(words_allowed=("Shit",), toxicity=OFF).check("shit", "prompt").allowed
    assert not made(words_from="mild", toxicity=OFF).check("an ass", "prompt").allowed
    assert made(words_from="severe", toxicity=OFF).check("shit", "prompt").allowed


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rules_off": ("nothing",)}, "unknown rule nothing"),
        ({"words_added": ("a b",)}, "content_filter.words_added: 'a b' is not a valid entry"),
    ],
)
def test_unknown_rules_and_invalid_words_are_refused_at_the_start(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        made(**settings)


@pytest.mark.parametrize(
    "settings",
    [{"attempts": 0}, {"toxicity_threshold": 0}, {"toxicity_threshold": True}, {"words_from": "awful"}, {"rules": "refuse"}, {"restricted_texts": ("ab",)}, {"restricted_texts": ("   ",)}, {"rule": OFF}],
)  # fmt: skip
def test_invalid_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ContentFilterSettings(**settings)


@given(ANYTHING, ANYTHING, st.sampled_from(["prompt", "completion"]))
def test_any_text_has_a_decision(text: str, before: str, side: Side) -> None:
    decision = DEFAULT.check(text, side, before)
    assert decision.allowed == (not decision.rule) and bool(decision.rule) == bool(decision.category)


def calls(work: Callable[[], object]) -> int:
    """Python and C functions called by `work`: work that no clock counts."""
    count = 0

    def note(_frame: Any, filter_event: str, _argument: Any) -> None:
        nonlocal count
        count += filter_event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


PARTS = ["the moon and ", "f x ", "s.h-i_", "kill you ", "a*b ", "1!l ", "aaabbbcccddd ", "*", "ab1", "á ", "go die x ", "x", "sh sh "]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("side", ["prompt", "completion"])
def test_work_grows_linearly_with_the_text(part: str, side: Side) -> None:
    alone = made(rules=OFF)  # which refuse what repeats itself; their patterns have tests of their own

    def work(length: int) -> int:
        return calls(lambda: alone.check((part * length)[:length], side))

    work(4_000)
    assert work(8_000) <= 2.2 * work(4_000) + 100


def test_threads_share_one_filter() -> None:
    texts = {INSULT: False, "what utter sh1t": False, "the moon": True, "Scunthorpe ⓡⓞⓢⓔ": True}
    wrong: list[str] = []

    def run() -> None:
        wrong.extend(text for _ in range(50) for text, allowed in texts.items() if DEFAULT.check(text, "prompt").allowed != allowed)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
