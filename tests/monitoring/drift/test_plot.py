"""The plot of the history."""

import pytest

from monitoring.drift.history import Judged
from monitoring.drift.plot import history_plot
from robo_poet.judges.drift.policy import DriftPolicy


def judged(version: int, day: int, action: str, **row: float) -> Judged:
    start = 86_400.0 * day
    evidence = {"policy": vars(DriftPolicy())}
    return Judged(version, "d" * 64, "", start, start + 86_400, "s", start, {"window": "", **row}, action, ["why"], "", evidence)


def test_versions_bounds_and_verdicts_are_drawn_the_same_each_time() -> None:
    measured = {"perplexity": 50.0, "rise": 0.3, "low": 0.2, "high": 0.4}
    windows = [judged(1, 1, "cannot_tell", perplexity=40.0), judged(1, 2, "rising", **measured), judged(2, 3, "no_drift", **measured)]
    svg = history_plot("poems", windows)
    assert svg == history_plot("poems", windows)
    assert all(f">{text}<" in svg for text in ("version 1", "version 2", "rising", "cannot tell", "bounds", "limit of the rise"))
    assert ">drift<" not in svg


@pytest.mark.parametrize("days", [1, 2, 3, 5, 8, 13, 40, 90, 400])
def test_any_number_of_windows_is_drawn(days: int) -> None:
    """Warnings are errors here: matplotlib warns if its dates do not fit."""
    measured = {"perplexity": 50.0, "rise": 0.3, "low": 0.2, "high": 0.4}
    assert "version 1" in history_plot("poems", [judged(1, 20_000 + day, "no_drift", **measured) for day in range(days)])


def test_windows_without_users_are_no_error() -> None:
    assert "no requests" not in history_plot("poems", [])
    assert ">cannot tell<" in history_plot("poems", [judged(1, 1, "cannot_tell", users=0)])
