from typing import Any

import pytest
from pydantic import ValidationError

from robo_poet.judges.gate import Gate as JudgesGate
from robo_poet.settings.gate import Gate


@pytest.mark.parametrize(
    "given",
    [
        {"metric": "perplexity", "max": 100},
        {"metric": "perplexity", "max": 100, "slice": "author=*"},
        {"metric": "bits_per_byte", "against": "champion", "margin": 0},
        {
            "metric": "bits_per_byte",
            "against": "champion",
            "margin": 0.02,
            "slice": "author=Kyd%2C Thomas,period=1500s",
            "on_unknown": "pass",
        },
    ],
)
def test_what_a_profile_may_say_the_judges_can_judge(given: dict[str, Any]) -> None:
    gate = Gate(**given)
    assert JudgesGate(**gate.model_dump()).fault() == ""
    assert gate.on_unknown == given.get("on_unknown", "reject")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"metric": "x"}, "gate on x has no bound: give min or max"),
        ({"metric": "x", "min": 2, "max": 1}, "gate on x keeps nothing: min is above max"),
        ({"metric": "x", "max": 1, "margin": 1}, "gate on x has a margin but nothing to compare with: give against: champion"),
        ({"metric": "bleu", "against": "champion"}, "gate on bleu against the champion has no margin: give one, 0 or more"),
        (
            {"metric": "bleu", "against": "champion", "margin": 0.1, "min": 0},
            "gate on bleu has a bound and is against the champion: make two gates of it",
        ),
        (
            {"metric": "x", "against": "champion", "margin": 0.1},
            "gate on x cannot be against the champion: whether lower or higher is better is not known",
        ),
        ({"metric": "bleu", "against": "champion", "margin": -0.1}, "greater than or equal to 0"),
        ({"metric": "bleu", "against": "champion", "margin": float("nan")}, "finite number"),
        ({"metric": "bleu", "against": "champion", "margin": True}, "true and false are no value here"),
        ({"metric": "bleu", "against": "human", "margin": 0.1}, "Input should be '' or 'champion'"),
        ({"metric": "bleu", "min": 0, "on_unknown": "accept"}, "Input should be 'reject' or 'pass'"),
        ({"metric": "bleu", "min": 0, "slice": "author"}, "'author' is not feature=value"),
        ({"metric": "bleu", "min": 0, "slice": "author=a,author=b"}, "author is there twice"),
        ({"metric": "bleu", "min": 0, "slices": "author=a"}, "Extra inputs are not permitted"),
    ],
)
def test_a_gate_that_cannot_be_is_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Gate(**given)
    (error,) = caught.value.errors()
    assert message in error["msg"] and "\n" not in error["msg"]
