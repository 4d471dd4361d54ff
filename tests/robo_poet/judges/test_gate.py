import math
from typing import Any

import pytest

from robo_poet.judges.gate import Gate


@pytest.mark.parametrize(
    ("gate", "bound"),
    [
        (Gate("perplexity", max=100), "<= 100"),
        (Gate("bleu", min=0.3, max=1), ">= 0.3 and <= 1"),
        (Gate("bits_per_byte", against="champion", margin=0.02), "<= champion + 0.02"),
        (Gate("token_accuracy", against="champion", margin=0), ">= champion - 0"),
    ],
)
def test_the_bound_in_words(gate: Gate, bound: str) -> None:
    assert (gate.fault(), gate.bound) == ("", bound)


CHAMPION: Any = {"against": "champion"}
NO_MARGIN = "the gate on bits_per_byte against the champion has no margin that is a finite number from 0 on"


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        (Gate("x"), "the gate on x has no bound, or one that is no finite number"),
        (Gate("x", max=math.nan), "the gate on x has no bound, or one that is no finite number"),
        (Gate("x", min=0, max=math.inf), "the gate on x has no bound, or one that is no finite number"),
        (Gate("x", max=1, margin=0.1), "the gate on x has a margin, but nothing to compare with"),
        (Gate("x", max=1, slice="author"), "the gate on x names no slice: 'author' is not feature=value"),
        (Gate("bits_per_byte", **CHAMPION), NO_MARGIN),
        (Gate("bits_per_byte", margin=-0.1, **CHAMPION), NO_MARGIN),
        (Gate("bits_per_byte", margin=math.nan, **CHAMPION), NO_MARGIN),
        (Gate("bits_per_byte", margin=math.inf, **CHAMPION), NO_MARGIN),
        (
            Gate("bits_per_byte", max=3, margin=0.1, **CHAMPION),
            "the gate on bits_per_byte has both a bound and the champion to keep to: make two gates of it",
        ),
        (Gate("x", margin=0.1, **CHAMPION), "whether a lower or a higher x is better is not known: it cannot be compared"),
        (Gate("x", margin=0.1, against="human"), "the gate on x is against 'human', not the champion"),  # type: ignore[arg-type]
    ],
)
def test_a_gate_that_can_judge_nothing_says_why(gate: Gate, fault: str) -> None:
    assert gate.fault() == fault
    assert gate.bound is not None
