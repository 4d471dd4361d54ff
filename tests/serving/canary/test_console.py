from pathlib import Path

import pytest
from starlette.testclient import TestClient

from serving.canary.console import Drift, Watched, console
from tests.serving.canary.test_controller import SAID, SETTINGS, Place

LOCAL = "http://127.0.0.1:8090"


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client(place: Place, clock: Clock) -> TestClient:
    models = {"poems": Watched(place.registry, place.controller(), SETTINGS.policy())}
    return TestClient(console(models, clock=clock), base_url=LOCAL)


def test_the_pages_show_models_releases_and_moves(tmp_path: Path, clock: Clock) -> None:
    place = Place(tmp_path)
    place.controller().act()[0]
    place.traffic(300, failed=0.5)
    browser = client(place, clock)
    index = browser.get("/").text
    assert "poems/1 is the champion" in index and "20% of the users" in index and "/canary/poems" in index and "set share" in index
    page = browser.get("/canary/poems").text
    assert "failed requests" in page and "harm proven" in page and "canary controller" in page and "<svg" in page
    assert "http://" not in page.replace(LOCAL, "") and "<script" not in page


def test_a_decision_against_the_champion_is_shown(tmp_path: Path, clock: Clock) -> None:
    place = Place(tmp_path)
    place.registry.judge_again(1, {"gates": []}, {}, verdict="rejected", who="ada", why="bleu < 0.1")
    browser = client(place, clock)
    note = "contested: the latest decision of the gates rejects it (bleu &lt; 0.1), but it stays champion"
    assert note in browser.get("/").text and note in browser.get("/canary/poems").text
    assert "judge again: rejected" in browser.get("/").text
    place.registry.reject(2, **SAID)
    clock.seconds += 15
    assert f"poems/1 {note}" in browser.get("/").text


def test_the_drift_of_a_model_has_a_line_and_a_page(tmp_path: Path, clock: Clock) -> None:
    place = Place(tmp_path)
    drift = Drift(lambda: "drift, 2026-03-09: <no drift>", lambda: "<h1>Drift of poems</h1>")
    models = {"poems": Watched(place.registry, place.controller(), SETTINGS.policy(), drift)}
    browser = TestClient(console(models, clock=clock), base_url=LOCAL)
    assert "2026-03-09: &lt;no drift&gt; · <a href='/drift/poems'>" in browser.get("/").text
    page = browser.get("/drift/poems").text
    assert "<h1>Drift of poems</h1>" in page and "<title>Drift of poems</title>" in page and "all models" in page
    assert browser.get("/drift/other").status_code == 404 and client(place, clock).get("/drift/poems").status_code == 404


def test_a_page_is_made_again_only_after_its_time(tmp_path: Path, clock: Clock) -> None:
    place = Place(tmp_path)
    browser = client(place, clock)
    assert "waited too long" not in browser.get("/").text
    place.registry.hold_canary(2, who="ada", why="waited too long")
    assert "waited too long" not in browser.get("/").text
    clock.seconds += 15
    assert "waited too long" in browser.get("/").text


def test_without_a_release_and_with_a_name_that_is_no_model(tmp_path: Path, clock: Clock) -> None:
    place = Place(tmp_path)
    place.registry.reject(2, **SAID)
    browser = client(place, clock)
    assert "no release is going on" in browser.get("/canary/poems").text
    assert browser.get("/canary/other").status_code == 404 and browser.post("/").status_code == 405


def test_other_hosts_are_refused_and_reasons_are_escaped(tmp_path: Path, clock: Clock) -> None:
    place = Place(tmp_path)
    place.registry.hold_canary(2, who="ada", why="<script>alert(1)</script>")
    browser = client(place, clock)
    assert browser.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert "<script" not in browser.get("/").text
    assert "default-src 'none'" in browser.get("/").headers["content-security-policy"]


def test_a_damaged_log_is_one_page_that_says_so(tmp_path: Path, clock: Clock) -> None:
    place = Place(tmp_path)
    newest = sorted((tmp_path / "registry" / "poems" / "log").glob("*.json"))[-1]
    newest.chmod(0o644)
    newest.write_text("{}")
    models = {"poems": Watched(type(place.registry)(tmp_path / "registry", "poems"), place.controller(), SETTINGS.policy())}
    answer = TestClient(console(models, clock=clock), base_url=LOCAL).get("/")
    assert answer.status_code == 500 and "cannot read its data" in answer.text
