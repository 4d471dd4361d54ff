from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.content_filter.decision import FilterDecision, filter_event, next_step
from serving.telemetry.pseudonym import Pseudonyms

TEXT = "what somebody wrote, and nobody else should read"


def test_an_event_has_the_rule_but_not_the_text() -> None:
    digest = Pseudonyms(b"k" * 32).text
    one = filter_event(FilterDecision(False, "words.strong", "obscene"), "completion", TEXT, digest, attempt=2)
    assert one is not None and one.digest == digest(TEXT)
    assert asdict(one) == {
        "side": "completion", "allowed": False, "rule": "words.strong", "category": "obscene", "digest": digest(TEXT), "attempt": 2,
    }  # fmt: skip
    assert not any(word in str(asdict(one)) for word in TEXT.split() if len(word) > 3)


def test_only_a_decision_with_a_hit_has_an_event() -> None:
    assert filter_event(FilterDecision(True), "prompt", TEXT, str) is None
    logged = filter_event(FilterDecision(True, "toxicity", "toxicity"), "prompt", TEXT, lambda _text: "digest")
    assert logged is not None and logged.allowed


YES, NO = FilterDecision(True), FilterDecision(False, "toxicity", "toxicity")


@pytest.mark.parametrize(
    ("decisions", "attempts", "step"),
    [
        ([YES], 3, "accept"), ([NO], 3, "resample"), ([NO, NO], 3, "resample"), ([NO, NO, YES], 3, "accept"), ([NO, NO, NO], 3, "refuse"),
        ([NO], 1, "refuse"), ([FilterDecision(True, "words.mild", "profanity")], 1, "accept"),
    ],
)  # fmt: skip
def test_the_next_step_depends_on_the_last_decision_and_the_attempts(decisions: list[FilterDecision], attempts: int, step: str) -> None:
    assert next_step(decisions, attempts) == step


@given(st.lists(st.booleans(), min_size=20, max_size=20), st.integers(1, 10))
def test_the_loop_ends_within_the_attempts_and_accepts_no_refused_text(outcomes: list[bool], attempts: int) -> None:
    seen: list[FilterDecision] = []
    step = "resample"
    while step == "resample":
        seen.append(YES if outcomes[len(seen)] else NO)
        step = next_step(seen, attempts)
    assert len(seen) <= attempts
    assert (step == "accept") == seen[-1].allowed
    assert not any(decision.allowed for decision in seen[:-1])


@pytest.mark.parametrize(("decisions", "attempts"), [([], 3), ([YES], 0)])
def test_a_step_needs_a_decision_and_an_attempt(decisions: list[FilterDecision], attempts: int) -> None:
    with pytest.raises(ValueError, match="attempts must be at least 1"):
        next_step(decisions, attempts)
