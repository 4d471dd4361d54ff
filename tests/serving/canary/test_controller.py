"""The controller with a real registry and a real outcome log. Only the users are simulated."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from robo_poet.outcomes.record import AssignedArm, Outcome
from robo_poet.registry.log.entry import Corrupt
from robo_poet.settings.canary import CanarySettings
from serving.canary.controller import Controller, current_release
from serving.canary.evidence import Evidence
from serving.gateway.backend.arms import choose, exposure
from tests.robo_poet.outcomes.samples import running_log
from tests.robo_poet.registry.released import released

SAID = {"who": "ada", "why": "test"}
SETTINGS = CanarySettings(
    steps=(0.2, 0.5), min_users=150, min_minutes=0.0001, user_minutes=0.001, watch_hours=0.0001, only_veto=("quality", "ratings", "length")
)
LATER = 50.0  # seconds until every user is frozen


class Place:
    """A registry with a champion and a canary, its outcomes and a controller."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.registry, self.users = folder, released(folder, 3, canary=True), 0

    def controller(self, settings: CanarySettings = SETTINGS, after: float = LATER) -> Controller:
        evidence = Evidence(self.folder / "evidence")
        return Controller(self.registry, self.folder / "outcomes", settings, evidence, lambda: time.time() + after, deadline=30)

    def traffic(self, users: int, *, failed: float = 0.0, seconds: float = 0.5, served: str = "") -> None:
        """Let new users make a request each. `failed`: share of the version under test's requests that fail."""
        dice, exposed = random.Random(self.users), exposure(self.registry.state())
        with running_log(self.folder / "outcomes") as log:
            for number in range(self.users, self.users + users):
                arm = choose(f"user {number}", exposed.arms, exposed.experiment)
                assigned = AssignedArm(exposed.experiment, exposed.step, arm.judged)
                broken = arm.judged == "canary" and dice.random() < failed
                log.begin(assigned)
                log.end(assigned, Outcome(
                    time.time(), f"user {number}", arm.version, served or arm.judged, 500 if broken else 200, seconds,
                    normalised=seconds, tokens=0 if broken else 80, asked=100, completed=not broken,
                ))  # fmt: skip
        self.users += users

    def actions(self) -> list[str]:
        return [entry.statement.action for entry in self.registry.log()[4:]]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_an_equal_version_goes_through_all_steps_to_all_users(place: Place) -> None:
    moves = []
    for _ in range(12):
        if move := place.controller().act()[0]:  # a new controller each time: it continues from the log
            moves.append(move)
        place.traffic(200)
        if place.registry.state().watch is None and place.registry.champion() == place.registry.version(2):
            break
    assert place.actions() == ["start_canary", "set_share", "set_share", "promote", "end_watch"]
    assert "serves 20% of the users" in moves[0] and "promoted" in moves[2] and "all users" in moves[3]
    evidence = Evidence(place.folder / "evidence").read(place.registry.log()[-2].statement.details["evidence"])
    assert evidence["action"] == "promote" and evidence["evidence"]["guardrails"]["errors"]["safe"]


def test_a_failing_version_is_rolled_back_with_its_reason(place: Place) -> None:
    for _ in range(6):
        place.controller().act()[0]
        if place.registry.canary() is None:
            break
        place.traffic(200, failed=0.3)
    version = place.registry.version(2)
    assert version.stage == "rejected" and "failed requests" in version.why and place.registry.champion() == place.registry.version(1)


def test_harm_after_the_promotion_goes_back_to_the_former_champion(place: Place) -> None:
    place.registry.promote(2, **SAID, watch_share=0.4)
    patient = SETTINGS.model_copy(update={"watch_hours": 24.0, "watch_share": 0.4})
    for _ in range(5):
        place.traffic(200, failed=0.4)
        if "rolled back to version 1" in place.controller(patient).act()[0]:
            break
    assert place.registry.champion() == place.registry.version(1) and place.registry.state().watch is None


def test_without_traffic_only_the_first_step_is_made(place: Place) -> None:
    for _ in range(4):
        place.controller().act()[0]
    assert place.actions() == ["start_canary", "set_share"]


def test_a_canary_that_another_version_serves_is_not_promoted(place: Place) -> None:
    for _ in range(5):
        place.controller().act()[0]
        place.traffic(300, served="champion")
    look = place.controller().look()
    assert place.actions() == ["start_canary", "set_share"]
    assert look is not None and look.verdict.action == "hold" and "cannot be called" in look.verdict.reasons[0]


def test_old_records_and_a_clock_before_the_start_decide_nothing(place: Place) -> None:
    place.controller().act()[0]
    place.traffic(600, failed=0.5)
    for after in (3 * 3600, -3600):
        assert place.controller(after=after).act()[0] == ""
    assert place.controller().act()[0] != ""


def test_a_held_canary_is_not_moved_and_goes_on_after_that(place: Place) -> None:
    place.controller().act()[0]
    place.traffic(400)
    place.registry.hold_canary(2, **SAID)
    assert place.controller().act()[0] == ""
    place.registry.resume_canary(2, **SAID)
    assert "50%" in place.controller().act()[0]


def test_a_step_beyond_the_policy_waits_for_a_person(place: Place) -> None:
    place.registry.set_share(2, 2, 0.9, **SAID)
    place.traffic(400)
    assert place.controller().act()[0] == ""
    look = place.controller().look()
    assert look is not None and "set by hand" in look.release.held


def test_shares_that_a_person_set_are_those_of_the_judge(place: Place) -> None:
    place.registry.set_share(2, 0, 0.4, **SAID)
    release = current_release(place.registry.state(), place.registry.log(), 2)
    assert release is not None and (release.share, release.shares) == (0.4, {0: 0.4})


def test_changed_files_are_never_promoted(place: Place) -> None:
    for _ in range(2):
        place.controller().act()[0]
        place.traffic(600)
    weights = next(place.registry.version(2).folder.rglob("weights"))
    weights.chmod(0o644)
    weights.write_text("other")
    with pytest.raises(Corrupt):
        place.controller().act()[0]
    assert "promote" not in place.actions()


def test_a_new_canary_waits_until_the_watch_has_ended(place: Place) -> None:
    place.registry.promote(2, **SAID, watch_share=0.4)
    place.registry.start_canary(3, **SAID)
    place.traffic(50)
    assert "serves all users" in place.controller().act()[0]
    assert "poems/3 serves 20%" in place.controller().act()[0]


def test_two_controllers_make_each_move_once(place: Place) -> None:
    moves: list[str] = []

    def together(act: Callable[[], str], barrier: threading.Barrier) -> None:
        barrier.wait()
        moves.append(act())

    for _ in range(4):
        barrier = threading.Barrier(2)
        threads = [threading.Thread(target=together, args=(lambda: place.controller().act()[0], barrier)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        place.traffic(200)
    assert place.actions()[:4] == ["start_canary", "set_share", "set_share", "promote"]
    assert place.actions().count("promote") == 1 and len([move for move in moves if move]) == len(place.actions()) - 1
