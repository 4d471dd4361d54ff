import json

import pytest

from robo_poet.outcomes.record import Score, arm_line, experiment_id, outcome_line, score_line, tally_line
from tests.robo_poet.outcomes.samples import CANARY, outcome


def test_an_outcome_line_leaves_out_what_is_as_expected() -> None:
    line = outcome_line(3, 17, CANARY, outcome(tokens=5))
    assert json.loads(line) == {
        "kind": "outcome", "n": 3, "seq": 17, "time": 1.8e9, "user": "u1", "version": 2, "status": 200, "seconds": 0.5,
    }  # fmt: skip
    full = outcome(
        served="champion", completed=True, refused=True, degenerate=True, aborted="server", identified=False, normalised=2, asked=9
    )
    assert json.loads(outcome_line(3, 17, CANARY, full)).items() >= {
        "served": "champion", "completed": True, "normalised": 2, "tokens": 0, "asked": 9, "refused": True, "degenerate": True, "aborted": "server",
        "identified": False,
    }.items()  # fmt: skip


def test_every_line_is_one_json_object() -> None:
    lines = [arm_line(1, CANARY), tally_line("end", 1.0, {1: (4, 0)}), score_line(1, Score(1.0, "u", 2.5, 2.0, 9))]
    assert [json.loads(line)["kind"] for line in lines] == ["arm", "end", "score"]
    assert all(line.endswith(b"}\n") and line.count(b"\n") == 1 for line in lines)


def test_a_number_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(ValueError, match="JSON"):
        outcome_line(1, 1, CANARY, outcome(seconds=float("nan")))


def test_an_experiment_is_a_canary_and_its_start() -> None:
    assert experiment_id("abc", 7) == "abc:7" != experiment_id("abc", 9)
