"""The wealth and the bounds equal those of an independent implementation (`reference/make.py`: confseq, by the authors of the method)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robo_poet.judges.canary.effects import Arms, between_arms, log_wealth, lower_bound

REFERENCE = json.loads((Path(__file__).parent / "reference" / "figures.json").read_text())
CASES = pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: f"harm {case['harm']}")


def arms_of(case: dict[str, Any]) -> Arms:
    steps = np.array(case["steps"])
    return Arms(np.array(case["values"]), np.array(case["canary"], bool), np.array(REFERENCE["shares"])[steps], steps)


@CASES
def test_the_wealth_is_that_of_confseq(case: dict[str, Any]) -> None:
    effects, amounts = between_arms(arms_of(case)), REFERENCE["amounts"]
    every = effects.users // len(case["log_wealth_one"])
    np.testing.assert_allclose(log_wealth(effects, 0.0, [amounts[1]])[::every], case["log_wealth_one"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(log_wealth(effects, 0.01, amounts)[::every], case["log_wealth_three"], rtol=1e-9, atol=1e-9)


@CASES
def test_the_lower_bound_is_that_of_confseq(case: dict[str, Any]) -> None:
    """confseq looks at a grid of 0.001; the search here ends after 5 halvings of its first distance."""
    bound = lower_bound(between_arms(arms_of(case)), REFERENCE["level"], 0.02, REFERENCE["amounts"])
    assert bound is not None and abs(bound - case["lower"]) <= 0.001 + 0.64 / 2**5
    assert bound <= case["lower"] + 0.001  # it is never on the wrong side


@CASES
def test_stakes_made_for_the_margin_need_fewer_users_than_those_of_confseq(case: dict[str, Any]) -> None:
    """confseq knows the largest range of a value only, not that of each user's step, so its bound is valid and wider."""
    assert case["lower_of_confseq"] < case["lower"]
