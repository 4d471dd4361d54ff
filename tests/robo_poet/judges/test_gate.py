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
        (Gate("token_accuracy", against="champion", margin=0.01), ">= champion - 1%"),
        (Gate("toxic_share", max=0.05), "<= 5%"),
        (Gate("edge_megabytes", max=8), "<= 8 MB"),
    ],
)
def test_the_bound_is_in_the_unit_of_the_metric(gate: Gate, bound: str) -> None:
    assert (gate.fault(), gate.bound) == ("", bound)


CHAMPION: Any = {"against": "champion"}
NO_BOUND = "gate on x has no bound: give min or max, a finite number"
NO_MARGIN = "gate on bits_per_byte against the champion needs a margin: a finite number, 0 or more"


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        (Gate("x"), NO_BOUND),
        (Gate("x", max=math.nan), NO_BOUND),
        (Gate("x", min=0, max=math.inf), NO_BOUND),
        (Gate("x", min=2, max=1), "gate on x can never pass: min is above max"),
        (Gate("x", max=1, margin=0.1), "gate on x has a margin but no comparison: add against: champion"),
        (Gate("x", max=1, slice="author"), "gate on x: wrong slice: 'author' is not feature=value"),
        (Gate("x", max=1, on_unknown="accept"), "gate on x: on_unknown is 'accept'; use reject or pass"),  # type: ignore[arg-type]
        (Gate("bits_per_byte", **CHAMPION), NO_MARGIN),
        (Gate("bits_per_byte", margin=-0.1, **CHAMPION), NO_MARGIN),
        (Gate("bits_per_byte", margin=math.nan, **CHAMPION), NO_MARGIN),
        (Gate("bits_per_byte", margin=math.inf, **CHAMPION), NO_MARGIN),
        (
            Gate("bits_per_byte", max=3, margin=0.1, **CHAMPION),
            "gate on bits_per_byte has a bound and compares with the champion: make two gates",
        ),
        (Gate("x", margin=0.1, **CHAMPION), "gate on x cannot compare with the champion: the metric has no better direction"),
        (Gate("x", margin=0.1, against="human"), "gate on x: against is 'human'; only champion is possible"),  # type: ignore[arg-type]
    ],
)
def test_a_gate_that_cannot_judge_says_why(gate: Gate, fault: str) -> None:
    assert gate.fault() == fault
    assert gate.bound is not None


def test_a_gate_is_written_without_its_defaults() -> None:
    assert Gate("bleu", min=0.3).to_json() == {"metric": "bleu", "min": 0.3}
    assert Gate("bleu", against="champion", margin=0.0).to_json() == {"metric": "bleu", "against": "champion", "margin": 0.0}
