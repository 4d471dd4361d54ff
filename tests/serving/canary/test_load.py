"""The CPU time of a controller whose gateway answers 100 requests per second."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from robo_poet.outcomes.record import AssignedArm, Outcome
from robo_poet.settings.canary import CanarySettings
from serving.canary.controller import Controller
from serving.gateway.backend.arms import choose, exposure
from tests.robo_poet.outcomes.samples import running_log
from tests.robo_poet.registry.released import released

RATE, SECONDS = 100, 180  # requests per second, each of a new user: the most work for the judge
LARGEST_SHARE = 0.02  # of a core
SAID = {"who": "ada", "why": "test"}
SETTINGS = CanarySettings(steps=(0.25,), user_minutes=0.05)  # users are frozen after 3 s, so that the judge has them within the test


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.soak
def test_a_controller_takes_at_most_two_per_cent_of_a_core(tmp_path: Path) -> None:
    registry = released(tmp_path, canary=True)
    registry.set_share(2, 0, 0.25, **SAID)
    shown = exposure(registry.state())
    (tmp_path / "canary.json").write_text(SETTINGS.model_dump_json())
    words = [f"--settings={tmp_path}/canary.json", f"--registry={tmp_path}/registry", "--model=poems", f"--folder={tmp_path}"]
    command = [sys.executable, "-m", "serving.canary", *words, "--deadline_seconds=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and process.stdout.readline() == "canary: ready\n"
            with running_log(tmp_path / "outcomes" / "poems") as log:
                before, began, number = cpu_seconds(process.pid), time.monotonic(), 0
                while (passed := time.monotonic() - began) < SECONDS:
                    for number in range(number, int(passed * RATE)):  # noqa: B020  it goes on where it was
                        user = f"{number:032x}"
                        arm = choose(user, shown.arms, shown.experiment)
                        assigned = AssignedArm(shown.experiment, shown.step, arm.judged)
                        log.begin(assigned)
                        log.end(assigned, Outcome(
                            time.time(), user, arm.version, arm.judged, 200, 0.5, normalised=0.5, tokens=80, completed=True
                        ))  # fmt: skip
                    number = int(passed * RATE)
                    time.sleep(0.05)
            share = (cpu_seconds(process.pid) - before) / (time.monotonic() - began)
        finally:
            process.kill()
    began = time.process_time()
    look = Controller.of(registry, SETTINGS, tmp_path, 1).look(bounds=False)
    assert look is not None and len(look.users) > 0.8 * number
    print(
        f"{100 * share:.2f} % of a core; a look at {len(look.users)} users, all read anew: {time.process_time() - began:.2f} s of CPU time"
    )
    assert share <= LARGEST_SHARE
