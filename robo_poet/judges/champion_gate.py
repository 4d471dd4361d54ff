"""Gates against the champion: how much worse than the champion a model may be (EVAL-5, EVAL-6).

- Pass: the whole interval of the difference is within the margin. A gate on "author=*" passes if each author passes. A model that is worse
  than the margin for one author passes only if the test of that author is wrong, which happens in about 2.5 % of cases. So a pass needs no
  correction for the number of slices (intersection-union test, Berger 1982).
- Fail: the whole interval is beyond the margin. If a model is just good enough, at least one of twenty slices is beyond the margin by
  chance in 40 % of cases. So failures are corrected within one gate (Holm 1979).
- Unknown: everything else, including a failure that is not significant after the correction. If the measured value is within the margin,
  more text can show that the whole interval is: the kind of this unknown is "amount". If the value exceeds the margin, it is "doubt".
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from robo_poet.judges.distributions import quantile, upper_tail
from robo_poet.judges.estimate import GateInput, Interval, Shortage, finite, too_few_units
from robo_poet.judges.gate import Gate, Outcome


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values by the step-down method of Holm (1979).

    Rejecting every adjusted p ≤ α keeps the probability of any false rejection ≤ α, for any dependence between the tests.

    Returns:
        Adjusted p-values, in input order.

    Raises:
        ValueError: a p-value is not in [0, 1].
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError("a p-value is not between 0 and 1")
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


LEVEL = 0.025  # one side of a 95 % interval


def judge_differences(measurements: GateInput, gate: Gate, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Judge all slices of one gate together.

    Args:
        gate: a gate whose `fault()` is empty.
        outcomes: the model's own value of each slice. A slice that was not measured is not compared.
    """
    compared = [_difference(measurements, gate, outcome) if outcome.state == "pass" else outcome for outcome in outcomes]
    tested = [index for index, outcome in enumerate(compared) if outcome.state == "pass" and outcome.low is not None]
    units = [measurements.differences[compared[index].slice][gate.metric].units for index in tested]
    p_values = [_p_value(gate, compared[index], count) for index, count in zip(tested, units, strict=True)]
    for index, p in zip(tested, holm_adjusted(p_values), strict=True):
        estimate = measurements.differences[compared[index].slice][gate.metric]
        compared[index] = _judge(gate, compared[index], len(tested) == 1 or p <= LEVEL, len(tested), estimate)
    return compared


def _difference(measurements: GateInput, gate: Gate, outcome: Outcome) -> Outcome:
    """Return the difference of one slice, not yet judged. Its state is "pass", with limits, if there is a difference to judge."""
    if measurements.champion == "none":
        return Outcome(outcome.slice, "pass", "no champion yet")
    subject = _subject(gate, outcome.slice)
    if measurements.champion != "measured":
        unreadable = Shortage("champions that can be measured", 1, 0, "missing")
        return Outcome(outcome.slice, "unknown", f"{subject} cannot be compared: the champion could not be measured", shortage=unreadable)
    interval: Interval | None = measurements.differences.get(outcome.slice, {}).get(gate.metric)
    value = finite(interval.value) if interval else None
    if interval is None or value is None:
        recorded = measurements.shortage(outcome.slice, gate.metric) if interval is None and outcome.slice else None
        reason = f"{subject} was not compared with the champion" + (f": {recorded.text}" if recorded else "")
        return Outcome(outcome.slice, "unknown", reason, shortage=recorded or Shortage(f"comparisons of {subject}", 1, 0, "missing"))
    difference = Outcome(outcome.slice, "pass", "", value).within(interval)
    if difference.low is None:
        shortage = too_few_units(interval, f" of {outcome.slice}" if outcome.slice else " of held-out text")
        return replace(difference, state="unknown", reason=f"{subject} cannot be compared: {shortage.text}", shortage=shortage)
    return difference


def _limits_of_loss(gate: Gate, difference: Outcome) -> tuple[float, float, float]:
    """Return how much worse than the champion the model is: lower limit, measured value, upper limit."""
    assert difference.value is not None and difference.low is not None and difference.high is not None
    return (
        (difference.low, difference.value, difference.high)
        if gate.better == "lower"
        else (-difference.high, -difference.value, -difference.low)
    )


def _p_value(gate: Gate, difference: Outcome, units: int) -> float:
    """Return the p-value of the null hypothesis "worse by at most the margin".

    The test uses Student's t. The standard error is computed from the width of the interval.
    """
    lower, measured, _ = _limits_of_loss(gate, difference)
    distance, freedom = measured - (gate.margin or 0.0), max(1, units - 1)
    if measured == lower:
        return 0.0 if distance > 0 else 1.0
    return upper_tail(distance / (measured - lower) * quantile(1 - LEVEL, freedom), freedom)


MOST = 1000  # times the units that there are; if more are needed, no realistic amount of text settles the question


def _judge(gate: Gate, difference: Outcome, significant: bool, slices: int, estimate: Interval) -> Outcome:
    lower, measured, upper = _limits_of_loss(gate, difference)
    margin, subject = gate.margin or 0.0, _subject(gate, difference.slice)
    if upper <= margin:
        return difference
    loss = f"{subject} is at least {lower:.4g} worse than the champion, more than the margin {margin:g}"
    if lower > margin and significant:
        return replace(difference, state="fail", reason=loss)
    shortage = _needed_for_margin(measured, lower, upper, margin, estimate, difference.slice)
    if lower > margin:
        return replace(difference, state="unknown", reason=f"{loss}, but not significantly among {slices} slices", shortage=shortage)
    range_text = f"{lower:.4g} to {upper:.4g} worse" if lower > 0 else f"from {-lower:.4g} better to {upper:.4g} worse"
    reason = f"{subject} is {range_text} than the champion: the margin {margin:g} may be exceeded"
    return replace(difference, state="unknown", reason=f"{reason}; {shortage.text}", shortage=shortage)


def _needed_for_margin(measured: float, lower: float, upper: float, margin: float, estimate: Interval, key: str) -> Shortage:
    """Return how many units would bring the interval to one side of the margin, if the value stays. Half-widths shrink as 1/√units.

    The kind is "amount" if the measured value is within the margin, and at most MOST times the units are needed; otherwise "doubt".
    """
    distance, half = margin - measured, upper - measured if measured < margin else measured - lower
    ratio = (half / abs(distance)) ** 2 if distance else math.inf
    needed = max(estimate.units + 1, math.ceil(estimate.units * min(ratio, MOST) - 1e-6))
    of = f" of {key}" if key else " of held-out text"
    return Shortage(
        f"{getattr(estimate, 'unit', 'unit')}s{of}", needed, estimate.units, "amount" if distance > 0 and ratio <= MOST else "doubt"
    )


def _subject(gate: Gate, key: str) -> str:
    return f"{gate.metric} of {key}" if key else gate.metric
