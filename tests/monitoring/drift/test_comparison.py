"""The comparison of a window by Evidently."""

import random
import re
import socket
from pathlib import Path

import pytest

from monitoring.drift.comparison import ROWS, compare_window, compare_windows, rows
from monitoring.drift.history import History, Judged
from robo_poet.errors import BadInput
from robo_poet.judges.drift.observations import UserScore, Window

DAY = 86_400.0


def judged(history: History, day: int, nats: float, users: int = 60, language: str = "en") -> Judged:
    dice = random.Random(day)
    scores = [UserScore(dice.gauss(nats, 0.3), 1, dice.choice([6, 12]), 0.0, {"language": language}) for _ in range(users)]
    window = Window(day * DAY, (day + 1) * DAY, scores)
    snapshot = history.snapshot("d" * 64, window)
    row = {"window": f"day {day}", "users": users, "unscored": 0.0}
    result = Judged(1, "d" * 64, "", window.start, window.end, snapshot, window.end, row, "no_drift", ["why"], "", {})
    history.add(result)
    return result


def test_a_changed_column_is_far_and_an_unchanged_one_is_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("a connection to elsewhere")

    history = History(tmp_path)
    for day in range(3):
        judged(history, day, 4.0)
    last = judged(history, 3, 4.6, language="de")
    monkeypatch.setattr(socket.socket, "connect", no_network)
    comparison = compare_window(history, last, 2)
    columns = comparison.data["columns"]
    assert comparison.data["reference_windows"] == ["1970-01-01", "1970-01-02"] and comparison.data["reference_users"] == 120
    assert columns["perplexity"]["distance"] > 1 and columns["language"]["distance"] > 0.5 and columns["prompt_tokens"]["distance"] < 0.4
    assert comparison.data["constant_columns"] == ["prompts", "unusual_characters", "client"]
    assert "Window day 3 of version 1: 60 users, compared with 120 users" in comparison.html
    assert "perplexity" in comparison.html and not re.search(r'src="https?://|<link[^>]*https?://', comparison.html)


def test_a_side_with_few_users_is_refused(tmp_path: Path) -> None:
    history = History(tmp_path)
    first = judged(history, 0, 4.0)
    with pytest.raises(BadInput, match="day 0: the first windows of the version have 0 users, 10 needed"):
        compare_window(history, first, 7)
    with pytest.raises(BadInput, match="day 1: the window has 3 users, 10 needed"):
        compare_window(history, judged(history, 1, 4.0, users=3), 7)


def test_many_users_are_a_sample() -> None:
    window = Window(0, DAY, [UserScore(float(k % 9), 1, 8) for k in range(ROWS + 1)])
    sampled = rows([window])
    assert {len(values) for values in sampled.values()} == {ROWS} and sampled == rows([window])


def test_equal_users_cannot_be_compared(tmp_path: Path) -> None:
    history = History(tmp_path)
    same = Window(0, DAY, [UserScore(4.0, 1, 8)] * 20)
    with pytest.raises(BadInput, match="all users have the same values"):
        compare_windows(judged(history, 0, 4.0), [same], [same])
