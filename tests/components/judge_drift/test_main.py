"""The verdict and the page of the step. tests/pipelines/test_drift_watch.py has a drift with its comparison by Evidently."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.judge_drift.__main__ import main
from monitoring.drift.traffic import Traffic, write_traffic
from robo_poet.judges.drift.baseline import make_baseline
from robo_poet.judges.drift.observations import UserScore, Window

DAY = 86_400.0


def window(day: int, users: int) -> Window:
    scores = [UserScore(4 + 0.1 * (k % 3), 2, 8.0, 0.0, {"language": "en"}) for k in range(users)]
    return Window(day * DAY, (day + 1) * DAY, scores)


def judge(folder: Path, traffic: Traffic, name: str) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Return the verdict, the page and the executor output."""
    write_traffic(folder / f"{name}-traffic", traffic)
    places = {port: folder / f"{name}-{port}" for port in ("traffic", "verdict", "page", "metrics", "executor-output")}
    words = [word for port, path in places.items() for word in (f"--{port}", str(path))]
    assert main([*words, "--settings", json.dumps({"min_users": 4})]) == 0
    return json.loads(places["verdict"].read_text()), places["page"].read_text(), json.loads(places["executor-output"].read_text())


@pytest.mark.parametrize(
    ("traffic", "reason"),
    [
        (Traffic("poems", 0, "", DAY, 2 * DAY, "the model has no champion"), "the model has no champion"),
        (Traffic("poems", 1, "d" * 64, DAY, 2 * DAY, windows=[window(1, 9)]), "the version has no baseline yet"),
        (
            Traffic("poems", 1, "d" * 64, DAY, 2 * DAY, baseline=make_baseline([window(0, 9)]), windows=[window(1, 0)]),
            "there was no request in the window",
        ),
    ],
)
def test_what_cannot_be_judged_has_a_reason_on_the_page(traffic: Traffic, reason: str, tmp_path: Path) -> None:
    verdict, page, output = judge(tmp_path, traffic, "a")
    assert output["parameterValues"]["action"] == verdict["action"] == "cannot_tell"
    assert verdict["reasons"][0].startswith(reason) and reason in page and verdict["row"]["window"] == "1970-01-02"


def test_with_few_users_there_is_a_verdict_without_a_comparison(tmp_path: Path) -> None:
    first = [window(0, 9)]
    traffic = Traffic("poems", 1, "d" * 64, DAY, 2 * DAY, baseline=make_baseline(first), windows=[window(1, 9)], reference=first)
    verdict, page, output = judge(tmp_path, traffic, "a")
    assert verdict["action"] == "no_drift" and verdict["comparison"] is None
    assert "No comparison by Evidently: the window has 9 users, 10 needed" in page
    assert output["artifacts"]["metrics"]["artifacts"][0]["metadata"]["users"] == 9
    judge(tmp_path, traffic, "b")
    assert (tmp_path / "a-verdict").read_bytes() == (tmp_path / "b-verdict").read_bytes()
