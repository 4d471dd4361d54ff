"""The acts of the story wait for the right thing, and a wrong verdict fails at once. tests/e2e/test_replay.py plays the whole story.

Covers: record, view.
"""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.replay.journal import Act, ActFailed, Event, Journal
from cli.replay.programs import Programs
from cli.replay.record import collect, decisions
from cli.replay.story import MODEL, Scene, _promoted, _rolled_back, acts, promotion_evidence
from cli.replay.texts import Texts
from cli.replay.view import View
from robo_poet.registry.registry import Registry
from serving.canary.evidence import Evidence

SAID: dict[str, Any] = {"who": "test", "why": "a test"}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A registry with champion 1 and canary 2, half of the users each. No program runs."""
    registry = Registry(tmp_path / "registry", MODEL)
    for number in (1, 2):
        (tmp_path / f"model{number}").mkdir()
        (tmp_path / f"model{number}" / "weights").write_text(str(number))
        registry.register(
            {"model": tmp_path / f"model{number}"}, metrics={}, lineage={"n": number}, decision={}, stage="candidate", **SAID
        )  # fmt: skip
    registry.promote(1, **SAID)
    registry.start_canary(2, **SAID)
    registry.set_share(2, 0, 0.5, **SAID)
    return Scene(Programs(tmp_path), Texts(tmp_path / "texts", (), ()), [])


@pytest.fixture
def journal() -> Journal:
    journal = Journal(acts(), lambda: None, lambda *_: None)
    journal.next_act()
    return journal


def evidence(scene: Scene) -> str:
    kept = {"evidence": {"users": {"canary": 5, "champion": 6}, "guardrails": {"quality": {"high": -0.1}}}}
    return Evidence(scene.folder / ".serve" / "canary" / MODEL / "evidence").write(kept)


def test_a_promotion_is_awaited_with_its_evidence(scene: Scene, journal: Journal) -> None:
    scene.registry.promote(2, **SAID, evidence=evidence(scene))
    journal.wait("it happens", lambda: True, 1)
    with pytest.raises(ActFailed, match="version 2 is champion: a test"):
        _rolled_back(journal, scene, 2)
    assert promotion_evidence(scene.registry, scene.folder, 2)["users"] == {"canary": 5, "champion": 6}
    with pytest.raises(ActFailed, match="without evidence"):
        promotion_evidence(scene.registry, scene.folder, 1)


def test_a_roll_back_where_a_promotion_is_told_fails_at_once(scene: Scene, journal: Journal) -> None:
    scene.registry.reject(2, who="test", why="it writes nonsense")
    with pytest.raises(ActFailed):
        _promoted(journal, scene, 2)


def test_the_record_has_decisions_and_evidence_also_of_a_replay_that_ended_early(scene: Scene, journal: Journal) -> None:
    scene.registry.promote(2, **SAID, evidence=evidence(scene))
    rows = decisions(scene)
    assert [(row["action"], row["version"]) for row in rows if row["action"] != "registered"] == [
        ("promoted", 1), ("canary", 2), ("next step", 2), ("promoted", 2),
    ]  # fmt: skip
    assert rows[-1]["evidence"]["evidence"]["users"]["canary"] == 5 and rows[-2]["share"] == 0.5
    record = collect(journal, scene, "interrupted")
    assert record["error"] == "interrupted" and record["traffic"] == {} and record["acts"][0]["status"] == "running"


def test_a_file_gets_a_line_for_each_event(scene: Scene) -> None:
    output = io.StringIO()
    view = View(Console(file=output, width=1000), scene)
    act = Act("Release 1", "It is served.", "running")
    view.show_change(act, None)
    view.show_change(act, Event("it is trained", 1.0))
    view.show_change(act, Event("it is trained", 1.0, 2.0, "perplexity 40"))
    assert output.getvalue().splitlines() == [
        "0:00 Release 1: It is served.", "0:00   … it is trained", "0:00   ✓ it is trained: perplexity 40",
    ]  # fmt: skip


def test_a_terminal_shows_the_acts_and_what_is_awaited(scene: Scene, journal: Journal) -> None:
    output = io.StringIO()
    view = View(Console(file=output, width=200, force_terminal=True, color_system=None), scene)
    view.journal = journal
    journal.act.events.append(Event("the pipeline trains version 1", journal.began))
    with view.watching():
        pass
    shown = output.getvalue()
    assert "▶ Release 1" in shown and "… the pipeline trains version 1" in shown and "· Release 4 closes the loop" in shown
