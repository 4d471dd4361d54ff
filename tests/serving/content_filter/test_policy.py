import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.content_filter.decision import Decision
from serving.content_filter.policy import next_step

YES, NO = Decision(True), Decision(False, "toxicity", "toxicity")


@pytest.mark.parametrize(
    ("decisions", "attempts", "step"),
    [
        ([YES], 3, "accept"), ([NO], 3, "resample"), ([NO, NO], 3, "resample"), ([NO, NO, YES], 3, "accept"), ([NO, NO, NO], 3, "refuse"),
        ([NO], 1, "refuse"), ([Decision(True, "words.mild", "profanity")], 1, "accept"),
    ],
)  # fmt: skip
def test_each_step(decisions: list[Decision], attempts: int, step: str) -> None:
    assert next_step(decisions, attempts) == step


@given(st.lists(st.booleans(), min_size=20, max_size=20), st.integers(1, 10))
def test_the_loop_ends_after_so_many_attempts_and_never_shows_what_was_refused(outcomes: list[bool], attempts: int) -> None:
    seen: list[Decision] = []
    step = "resample"
    while step == "resample":
        seen.append(YES if outcomes[len(seen)] else NO)
        step = next_step(seen, attempts)
    assert len(seen) <= attempts
    assert (step == "accept") == seen[-1].allowed
    assert not any(decision.allowed for decision in seen[:-1])


@pytest.mark.parametrize(("decisions", "attempts"), [([], 3), ([YES], 0)])
def test_no_step_without_an_attempt(decisions: list[Decision], attempts: int) -> None:
    with pytest.raises(ValueError, match="one attempt"):
        next_step(decisions, attempts)
