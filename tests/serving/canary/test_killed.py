"""A controller that is killed at any moment leaves no half decision; the next one goes on from the log (SERVE-5)."""

import itertools
import json
import os
import random
import time
from collections import Counter
from pathlib import Path

from robo_poet.outcomes.record import NO_STEP, AssignedArm, Outcome
from robo_poet.registry.log.entry import Action
from robo_poet.settings.canary import CanarySettings, NotifySettings
from serving.canary.__main__ import main
from serving.canary.evidence import Evidence
from serving.gateway.backend.arms import choose, exposure
from tests.killing import killed_after
from tests.robo_poet.outcomes.samples import running_log
from tests.robo_poet.registry.released import released

KILLS = 200 if os.environ.get("ROBO_POET_SOAK") else 10
SAID = {"who": "ada", "why": "test"}
SETTINGS = CanarySettings(
    steps=(0.2, 0.5), min_users=40, min_minutes=0.0001, user_minutes=0.001, watch_hours=0.0001, watch_share=0.2, look_seconds=0.01,
    only_veto=("quality", "ratings", "length"), notify=NotifySettings(command=("true",)),
    margins={"errors": 0.2, "refusals": 0.2, "slow": 0.3, "degenerate": 0.3},
)  # fmt: skip
EARLIER = 60.0  # seconds: users of that time are frozen
BAD = 3  # every third version fails


class Place:
    """A registry that always has a canary, the users of its versions, and the command line of the controller."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.registry, self.users = folder, released(folder), itertools.count()
        (folder / "canary.json").write_text(SETTINGS.model_dump_json())
        self.words = [f"--settings={folder}/canary.json", f"--registry={folder}/registry", "--model=poems", f"--folder={folder}"]
        self.registry.start_canary(2, **SAID)

    def traffic(self, count: int) -> None:
        """Let new users make a request each."""
        shown, now = exposure(self.registry.state()), time.time() - EARLIER
        if shown.step == NO_STEP:
            return
        with running_log(self.folder / "outcomes" / "poems") as log:
            for number in itertools.islice(self.users, count):
                arm = choose(f"user {number}", shown.arms, shown.experiment)
                broken = arm.version % BAD == 0
                assigned = AssignedArm(shown.experiment, shown.step, arm.judged)
                log.begin(assigned)
                log.end(assigned, Outcome(
                    now, f"user {number}", arm.version, arm.judged, 500 if broken else 200, 0.5, normalised=0.5,
                    tokens=0 if broken else 80, completed=not broken,
                ))  # fmt: skip

    def next_canary(self) -> None:
        """Register a version and start it, if the last release has ended."""
        state = self.registry.state()
        if state.canary is not None or state.watch is not None:
            return
        number = len(state.records) + 1
        (self.folder / "next").write_text(str(number))
        self.registry.register(
            {"weights": self.folder / "next"}, metrics={}, lineage={"seed": number}, decision={}, stage="candidate", **SAID
        )
        self.registry.start_canary(number, **SAID)

    def controller(self) -> object:
        """Run the program; its log goes to a file."""
        log = os.open(self.folder / "canary.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(log, 1)
        os.dup2(log, 2)
        return main(self.words)


def check(place: Place) -> None:
    """Check the log, and the evidence of each move."""
    place.registry.verify()
    evidence = Evidence(place.folder / "canary" / "poems" / "evidence")
    moves: Counter[tuple[str, int, object]] = Counter()
    for entry in place.registry.log():
        said = entry.statement
        moves[said.action, said.version, said.details.get("step")] += 1
        if said.who == "canary controller":
            assert evidence.read(said.details["evidence"])["experiment"]
    repeated = {move: count for move, count in moves.items() if count > 1 and move[0] != Action.ADD_SOURCE}
    assert repeated == {}
    for path in (place.folder / "canary").rglob("*.json"):
        json.loads(path.read_text())


def test_a_controller_that_is_killed_leaves_no_half_decision_and_the_next_one_goes_on(tmp_path: Path) -> None:
    dice, place, killed, longest = random.Random(2), Place(tmp_path), 0, 0.5
    for number in range(KILLS):
        before = len(place.registry.log())
        killed += killed_after(dice.uniform(0, longest), place.controller)
        moved = len(place.registry.log()) > before
        longest = min(20.0, longest * (0.8 if moved else 1.3))  # so that kills come around the moment of a move, also on a busy machine
        place.traffic(120)
        place.next_canary()
        if number % 20 == 0 or number == KILLS - 1:
            check(place)
    state = place.registry.state()
    ends = Counter(str(record.stage) for record in state.records)
    moves = sum(entry.statement.who == "canary controller" for entry in place.registry.log())
    print(f"{killed} of {KILLS} controllers were killed; {moves} moves; {dict(ends)}")
    assert killed == KILLS and moves > KILLS // 6
    assert "Traceback" not in (tmp_path / "canary.log").read_text()
    good = [record for record in state.records[1:] if record.number % BAD]
    assert all(record.stage != "rejected" for record in good)
    assert all(record.number % BAD for record in state.records if record.stage in ("champion", "archived"))
