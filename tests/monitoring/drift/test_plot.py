"""The plot of the history."""

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


def test_windows_without_users_are_no_error() -> None:
    assert "no requests" not in history_plot("poems", [])
    assert ">cannot tell<" in history_plot("poems", [judged(1, 1, "cannot_tell", users=0)])
