from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Statement
from robo_poet.registry.versions.decisions import Judged
from robo_poet.report.registered_card import card_with_history, write_card_with_history

OVERRIDE = Statement("poems", "override", 3, "Grace <x>", "verse & prose", time="2026-01-02T03:04:05+00:00")

FIRST = Judged("rejected", "2026-01-01T03:04:05+00:00", "ada", "perplexity is 120")
SECOND = Judged("accepted", "2026-01-03T03:04:05+00:00", "ada", "passed <all> gates", "strict", "5e" * 32)


def test_stage_and_overrides_stand_below_the_heading(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<h1>Card</h1><p>signed</p>")
    write_card_with_history(tmp_path, 3, "canary", [OVERRIDE], [FIRST], tmp_path / "shown.html")
    heading, stage, note = (tmp_path / "shown.html").read_text().split("<p", 2)
    assert heading == "<h1>Card</h1>"
    assert "Version 3" in stage and ">canary<" in stage
    assert "Overridden by Grace &lt;x&gt; on 2026-01-02, against the gates: verse &amp; prose</p>" in note
    assert note.endswith("<p>signed</p>")


def test_later_decisions_stand_below_the_overrides(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<h1>Card</h1><p>signed</p>")
    write_card_with_history(tmp_path, 3, "canary", [OVERRIDE], [FIRST, SECOND], tmp_path / "shown.html")
    page = (tmp_path / "shown.html").read_text()
    assert "Judged again: accepted by the gates of strict on 2026-01-03 (passed &lt;all&gt; gates)</p>" in page
    assert page.index("Overridden by") < page.index("Judged again") < page.index("of the first decision") < page.index("signed")
    assert "perplexity is 120" not in page  # the card itself has the first decision


def test_the_date_of_the_registration_stands_beside_the_number(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<h1>Card</h1>")
    write_card_with_history(tmp_path, 3, "canary", [], [FIRST], tmp_path / "shown.html", registered="2026-01-02")
    assert "Version 3, registered on 2026-01-02. Stage" in (tmp_path / "shown.html").read_text()


def test_the_json_card_gets_stage_and_overrides(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text('{"verdict": "rejected"}')
    assert card_with_history(tmp_path, "canary", [OVERRIDE], [FIRST]) == {
        "verdict": "rejected", "stage": "canary", "overrides": [{"who": OVERRIDE.who, "why": OVERRIDE.why, "time": OVERRIDE.time}],
        "decisions": [FIRST.to_json()],
    }  # fmt: skip


def test_a_version_without_a_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="this version has no card"):
        card_with_history(tmp_path, "canary", [], [FIRST])


def test_a_page_without_a_heading_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<p>no heading</p>")
    with pytest.raises(BadInput, match="heading"):
        write_card_with_history(tmp_path, 3, "canary", [], [FIRST], tmp_path / "shown.html")
