"""Gates against the champion: how much worse than the champion a model may be (EVAL-5, EVAL-6).

- Pass: the whole interval of the difference keeps the margin. A gate on "author=*" passes if each author passes. A model that is worse
  than the margin for one author passes only if the test of that author errs, in about 2.5 % of cases. So passing needs no correction for
  the number of slices (intersection-union test, Berger 1982).
- Fail: the whole interval lies beyond the margin. Of twenty slices of a model that is just good enough, one does so by chance in 40 % of
  cases. So failures are corrected within one gate (Holm 1979).
- Unknown: everything else, including a failure that is not significant after the correction.
"""

from collections.abc import Sequence
from dataclasses import replace

from robo_poet.judges.corrections import holm
from robo_poet.judges.gate import Gate
from robo_poet.judges.measurements import Interval, Measurements
from robo_poet.judges.numbers import finite
from robo_poet.judges.outcome import Outcome
from robo_poet.judges.student_t import quantile, upper_tail

LEVEL = 0.025  # one side of a 95 % interval


def judge_differences(given: Measurements, gate: Gate, own: Sequence[Outcome]) -> list[Outcome]:
    """Judge all slices of one gate together.

    Args:
        gate: a gate whose `fault()` is empty.
        own: the model's own value of each slice. A slice that was not measured is not compared.
    """
    compared = [_difference(given, gate, one) if one.state == "pass" else one for one in own]
    tested = [place for place, one in enumerate(compared) if one.state == "pass" and one.low is not None]
    units = [given.differences[compared[place].slice][gate.metric].units for place in tested]
    values = [_p_value(gate, compared[place], count) for place, count in zip(tested, units, strict=True)]
    for place, p in zip(tested, holm(values), strict=True):
        compared[place] = _judge(gate, compared[place], len(tested) == 1 or p <= LEVEL, len(tested))
    return compared


def _difference(given: Measurements, gate: Gate, own: Outcome) -> Outcome:
    """Return the difference of one slice, not yet judged. Its state is "pass", with limits, if there is a difference to judge."""
    if given.champion == "none":
        return Outcome(own.slice, "pass", "no champion yet: nothing to compare with")
    of = _of(gate, own.slice)
    if given.champion != "measured":
        return Outcome(own.slice, "unknown", f"{of} cannot be compared: the champion could not be measured")
    found: Interval | None = given.differences.get(own.slice, {}).get(gate.metric)
    value = finite(found.value) if found else None
    if found is None or value is None:
        return Outcome(own.slice, "unknown", f"{of} was not compared with the champion's")
    difference = Outcome(own.slice, "pass", "", value).within(found)
    if difference.low is None:
        return replace(difference, state="unknown", reason=f"{of} cannot be compared: too little was measured")
    return difference


def _limits(gate: Gate, found: Outcome) -> tuple[float, float, float]:
    """Return how much worse than the champion the model is: lower limit, measured value, upper limit."""
    assert found.value is not None and found.low is not None and found.high is not None
    return (found.low, found.value, found.high) if gate.better == "lower" else (-found.high, -found.value, -found.low)


def _p_value(gate: Gate, found: Outcome, units: int) -> float:
    """Return the p-value of "worse by at most the margin". Student's t; the standard error follows from the interval."""
    least, worse, _ = _limits(gate, found)
    distance, freedom = worse - (gate.margin or 0.0), max(1, units - 1)
    if worse == least:
        return 0.0 if distance > 0 else 1.0
    return upper_tail(distance / (worse - least) * quantile(1 - LEVEL, freedom), freedom)


def _judge(gate: Gate, found: Outcome, holds: bool, slices: int) -> Outcome:
    least, _, most = _limits(gate, found)
    margin, of = gate.margin or 0.0, _of(gate, found.slice)
    if most <= margin:
        return found
    if least > margin and holds:
        return replace(found, state="fail", reason=f"{of} is at least {least:.4g} worse than the champion's, beyond {margin:g}")
    if least > margin:
        why = f"{of} is at least {least:.4g} worse than the champion's, beyond {margin:g}, but among {slices} slices that may be chance"
        return replace(found, state="unknown", reason=why)
    side = f"{least:.4g} to {most:.4g} worse" if least > 0 else f"from {-least:.4g} better to {most:.4g} worse"
    return replace(found, state="unknown", reason=f"{of} is {side} than the champion's: {margin:g} cannot be ruled out")


def _of(gate: Gate, key: str) -> str:
    return f"{gate.metric} of {key}" if key else gate.metric
