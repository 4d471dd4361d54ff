from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from robo_poet.judges.gate import Gate
from robo_poet.settings.gate import CheckedGate

READER = TypeAdapter(CheckedGate)


@pytest.mark.parametrize(
    "written",
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
def test_a_valid_gate_becomes_a_gate_of_the_judges(written: dict[str, Any]) -> None:
    gate = READER.validate_python(written)
    assert isinstance(gate, Gate) and gate.fault() == ""
    assert gate.on_unknown == written.get("on_unknown", "reject")
    assert READER.validate_python(gate.to_json()) == gate


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"metric": "x"}, "gate on x has no bound: give min or max"),
        ({"metric": "x", "min": 2, "max": 1}, "gate on x can never pass: min is above max"),
        ({"metric": "bleu", "against": "champion", "margin": -0.1}, "needs a margin: a finite number, 0 or more"),
        ({"metric": "bleu", "against": "champion", "margin": float("nan")}, "needs a margin: a finite number, 0 or more"),
        ({"metric": "bleu", "against": "champion", "margin": True}, "margin cannot be true or false"),
        ({"metric": "bleu", "against": "human", "margin": 0.1}, "Input should be '' or 'champion'"),
        ({"metric": "bleu", "min": 0, "on_unknown": "accept"}, "Input should be 'reject', 'warn' or 'pass'"),
        ({"metric": "bleu", "min": 0, "slice": "author=a,author=b"}, "author is given twice"),
        ({"metric": "bleu", "min": 0, "slices": "author=a"}, "Unexpected keyword argument"),
    ],
)
def test_an_invalid_gate_has_a_one_line_message(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        READER.validate_python(written)
    (error,) = caught.value.errors()
    assert message in error["msg"] and "\n" not in error["msg"]
