"""The page of a replay shows each act, decision and alert of its record, and escapes what it shows. Covers: timeline."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cli.replay.page import replay_page
from cli.replay.timeline import GAP_SECONDS, alert_spans, version_spans

BEGAN = 1_800_000_000.0


def at(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(BEGAN + seconds, UTC).isoformat()


def decision(seconds: float, action: str, version: int, **more: Any) -> dict[str, Any]:
    return {"time": at(seconds), "action": action, "version": version, "who": "judge", "why": "<b>why</b>", "share": None,
            "evidence": None, "unreadable": "", "gates": []} | more  # fmt: skip


GUARDRAIL = {"label": "quality, paired", "unit": "bits per byte", "estimate": 0.5, "low": 0.1, "high": 0.9, "margin": 0.1, "users": 40,
             "harmful": True, "safe": False}  # fmt: skip
RECORD: dict[str, Any] = {
    "form": 1, "model": "replay", "began": BEGAN, "ended": BEGAN + 120, "error": "", "stopped": False, "asked": 1234, "failed": 0, "factor": 0.01,
    "changed": [],
    "acts": [
        {"title": "Release 1", "description": "It is served.", "status": "done", "began": BEGAN, "ended": BEGAN + 60,
         "events": [{"text": "the pipeline trains version 1", "began": BEGAN, "ended": BEGAN + 50, "result": "<i>done</i>", "training": True}]},
        {"title": "Release 2", "description": "It is rolled back.", "status": "done", "began": BEGAN + 60, "ended": BEGAN + 120, "events": []},
    ],
    "traffic": {"1": [[BEGAN + 60, 5.0], [BEGAN + 62, 4.0]], "2": [[BEGAN + 62, 1.0]]},
    "alerts": {"RoboPoetPerplexityDrift": [BEGAN + 100, BEGAN + 102]},
    "delivered": [{"time": BEGAN + 101, "title": "FIRING: RoboPoetPerplexityDrift"}],
    "decisions": [
        decision(50, "promoted", 1), decision(61, "canary", 2), decision(62, "next step", 2, share=0.2),
        decision(80, "rolled back", 2, evidence={"evidence": {"users": {"canary": 7, "champion": 33}, "guardrails": {"q": GUARDRAIL}}}),
    ],
    "windows": [
        {"version": 1, "end": BEGAN + 80, "action": "drift", "reasons": ["perplexity 90"], "cause": "the world changed",
         "row": {"users": 50, "perplexity": 90.0, "rise": 0.3, "low": 0.15, "high": 0.4}, "evidence": {"policy": {"rise": 0.2}}},
        {"version": 1, "end": BEGAN + 60, "action": "cannot_tell", "reasons": ["no users"], "cause": "", "row": {"users": 0},
         "evidence": {}},
    ],
    "requests": [{"number": 1, "key": {"version": 1, "cause": "the world changed"}, "why": "version 3 is canary", "runs": [{"id": "r"}]}],
}  # fmt: skip


def test_the_page_has_the_story_the_time_line_and_the_evidence() -> None:
    page = replay_page(RECORD)
    for text in (
        "all acts happened", "1,234 requests", "Release 2", "act 2", "0:50 version 1: promoted", "1:02 version 2: next step, 20% of the users",
        "7 users of the new version, 33 of the other", "+0.500 bits per byte", "harm proven", "likely cause: the world changed", "+30%",
        "RoboPoetPerplexityDrift", "1/100", "version 3 is canary",
    ):  # fmt: skip
        assert text in page, text
    assert "&lt;b&gt;why" in page and "<b>why" not in page and "<i>done" not in page


def test_a_replay_that_ended_early_says_so() -> None:
    acts = [RECORD["acts"][0] | {"status": "failed"}, RECORD["acts"][1] | {"status": "waiting", "began": 0.0, "ended": 0.0}]
    empty = {"traffic": {}, "alerts": {}, "decisions": [], "windows": [], "requests": [], "delivered": []}
    page = replay_page(RECORD | empty | {"acts": acts, "error": "serve ended with status 1"})
    assert "an act failed" in page and "Four versions" not in page and "serve ended with status 1" in page and "No alert fired" in page


def test_a_replay_that_somebody_stopped_has_not_failed() -> None:
    acts = [RECORD["acts"][0] | {"status": "stopped"}, RECORD["acts"][1] | {"status": "waiting", "began": 0.0, "ended": 0.0}]
    page = replay_page(RECORD | {"acts": acts, "error": "somebody stopped the replay", "stopped": True})
    assert "■ stopped" in page and "The replay was stopped after" in page and "somebody stopped the replay" in page
    assert "an act failed" not in page and 'class="fail"' not in page


@given(st.lists(st.tuples(st.floats(1, 60), st.integers(1, 20))))
def test_a_gap_separates_two_alerts(gaps: list[tuple[float, int]]) -> None:
    times, now = list[float](), 0.0
    for gap, count in gaps:
        now += gap
        for _ in range(count):
            times.append(now)
            now += 2.0
        now -= 2.0
    spans = alert_spans(times)
    assert len(spans) == (1 + sum(gap > GAP_SECONDS for gap, _ in gaps[1:]) if gaps else 0)
    assert all(begin <= end for begin, end in spans)


def test_stages_end_with_the_next_decision() -> None:
    spans = version_spans(RECORD["decisions"], BEGAN + 120)
    seconds = {(version, stage): (begin - BEGAN, end - BEGAN) for version, stage, begin, end in spans}
    assert seconds == {(2, "canary"): (61, 80), (1, "champion"): (50, 120)}
