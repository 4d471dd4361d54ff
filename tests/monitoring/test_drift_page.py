"""The page about the drift of a model."""

from pathlib import Path

from monitoring.drift_page import drift_line, drift_section
from monitoring.retraining.facts import ShownRequest, shown_requests
from monitoring.retraining.log import RetrainingLog
from robo_poet.judges.retraining.decision import Facts
from robo_poet.judges.retraining.policy import RetrainingPolicy
from tests.monitoring.drift.test_plot import judged
from tests.monitoring.retraining.test_log import ASKED, KEY, full

NOW = 1.8e9 + 100
SLICE = {"dimension": "language", "value": "<de>", "users": 20, "share": 0.25, "before": 0.01, "carried": 0.9}


def requests(log: RetrainingLog) -> list[ShownRequest]:
    return shown_requests(log.state(), Facts("poems", KEY.version, KEY.baseline), RetrainingPolicy(), NOW)


def test_the_page_shows_verdict_history_and_requests(tmp_path: Path) -> None:
    row = {"users": 300, "unscored": 0.0, "perplexity": 60.0, "rise": 0.25, "low": 0.2, "high": 0.3}
    windows = [judged(1, 1, "cannot_tell", users=0), judged(1, 2, "drift", **row)]
    newest = windows[-1]
    newest.row["window"], newest.reasons[:] = "1970-01-03", ["perplexity 60, +25 %", "language <de>"]
    newest.evidence["slices"] = [SLICE]
    object.__setattr__(newest, "cause", "a new group of users")
    page = drift_section("poems", windows, requests(full(tmp_path)))
    for text in (
        "<b>drift</b> Version 1, window 1970-01-03 (UTC)", "perplexity 60, +25 %", "a new group of users: language &lt;de&gt;", "<svg", "+20% to +30%",
        "<td>25%</td><td>1%</td><td>90%", "cannot tell: why", "finished", "version 2 is canary", "0.50",
    ):  # fmt: skip
        assert text in page, text
    assert "<de>" not in page and drift_line(windows) == "live traffic of 1970-01-03 (UTC): drift; likely cause: a new group of users"


def test_a_request_that_waits_for_a_person_has_its_command(tmp_path: Path) -> None:
    log = RetrainingLog(tmp_path / "log", "poems")
    log.record(lambda _: ASKED)
    page = drift_section("poems", [], requests(log))
    assert "waits for a person" in page and "retrain approve 1 --model poems" in page and "No window is judged yet" in page


def test_nothing_yet() -> None:
    page = drift_section("poems", [], [])
    assert "drift watch --model poems" in page and "No alert has asked" in page
    assert drift_line([]) == "no window of live traffic is judged yet"


def test_a_log_that_cannot_be_read_does_not_hide_the_verdict() -> None:
    page = drift_section("poems", [], "entry 3 was <changed>")
    assert "No window is judged yet" in page and "They cannot be read: entry 3 was &lt;changed&gt;" in page
