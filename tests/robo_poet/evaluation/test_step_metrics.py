import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_poet.errors import BadInput
from robo_poet.evaluation.step_metrics import StepMetrics

names = st.text("abc_", min_size=1, max_size=4)
numbers = st.one_of(st.floats(), st.integers(-5, 5), st.none())


@given(st.dictionaries(names, numbers), st.dictionaries(names, st.tuples(st.floats(), st.floats())))
def test_a_value_that_is_not_finite_is_null_and_the_rest_is_read_back(
    metrics: dict[str, float | None], intervals: dict[str, tuple[float, float]]
) -> None:
    written = json.loads(json.dumps(StepMetrics(metrics, intervals).to_json(), allow_nan=False))
    read = StepMetrics.from_json(written, Path("x"))
    assert set(read.metrics) == set(metrics)
    for name, value in metrics.items():
        assert read.metrics[name] == (None if value is None or not math.isfinite(value) else pytest.approx(value, abs=1e-6))
    assert set(read.intervals) == {name for name, limits in intervals.items() if all(map(math.isfinite, limits))}


def test_a_metric_belongs_to_one_step() -> None:
    both = StepMetrics.merge([StepMetrics({"a": 1.0}, {"a": (0, 2)}), StepMetrics({"b": None})])
    assert (both.metrics, both.intervals) == ({"a": 1.0, "b": None}, {"a": (0, 2)})
    with pytest.raises(ValueError, match="two steps measured a"):
        StepMetrics.merge([StepMetrics({"a": 1.0}), StepMetrics({"a": 1.0})])


@pytest.mark.parametrize("given", [{}, {"metrics": [1]}, {"metrics": {}, "intervals": 5}])
def test_a_file_without_metrics_is_named(given: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="^x: the metrics are missing; run the evaluation again"):
        StepMetrics.from_json(given, Path("x"))
