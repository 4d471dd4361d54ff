"""Tests of the supervisor and of its child processes, with shell scripts as programs. Covers: program."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from serving.supervisor.program import ChildProcess, Program
from serving.supervisor.restarts import Backoff, State
from serving.supervisor.supervisor import Supervisor
from tests.serving.gateway.running import wait_until

QUICK = Backoff(first=0.1, longest=0.2, longest_after_ready=0.1)


class Programs:
    """Programs whose scripts a test writes. A script gets `-m serving.NAME` and the program's arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, list[str]()
        self.given: list[tuple[str, dict[str, str]]] = []

    def write(self, **scripts: str) -> list[Program]:
        cases = "".join(f"serving.{name}) {script} ;;\n" for name, script in scripts.items())
        interpreter = self.folder / "interpreter.new"
        interpreter.write_text(f'#!/bin/sh\ncase "$2" in\n{cases}esac\n')
        interpreter.chmod(0o700)
        interpreter.replace(self.folder / "interpreter")
        return [Program(name, self.folder / f"{name}.log", self._arguments(name)) for name in scripts]

    def supervisor(self, ready_seconds: float = 30, **scripts: str) -> Supervisor:
        return Supervisor(self.write(**scripts), self.said.append, QUICK, ready_seconds)

    def _arguments(self, name: str) -> Callable[[Mapping[str, str]], list[str]]:
        def arguments(ready_lines: Mapping[str, str]) -> list[str]:
            self.given.append((name, dict(ready_lines)))
            return ["--option"]

        return arguments


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "interpreter"))
    return Programs(tmp_path)


def pid(supervisor: Supervisor, name: str) -> int:
    return supervisor.children[name].process.pid


def test_programs_start_in_order_and_learn_the_earlier_addresses(programs: Programs) -> None:
    with programs.supervisor(
        first='echo loading; sleep 0.2; echo "first: ready 1 $3"; exec sleep 60', second='echo "second: ready 2"; exec sleep 60'
    ) as all_of:
        assert all_of.wait_ready()
        assert all_of.ready_lines == {"first": "first: ready 1 --option", "second": "second: ready 2"}
        children = list(all_of.children.values())
    assert programs.given == [("first", {}), ("second", {"first": "first: ready 1 --option"})] and programs.said == []
    assert [child.process.returncode for child in children] == [-15, -15]


def test_a_program_that_tells_is_heard_and_the_others_are_not(programs: Programs) -> None:
    script = 'echo "a canary is left out"; echo "{0}: ready"; echo "the champion too"; exec sleep 60'
    first, second = programs.write(first=script.format("first"), second=script.format("second"))
    with Supervisor([replace(first, tells=True), second], programs.said.append, QUICK) as all_of:
        assert all_of.wait_ready()
        assert wait_until(lambda: len(programs.said) == 2)
    assert programs.said == ["a canary is left out", "the champion too"]


def test_a_killed_program_is_restarted_and_the_others_run_on(programs: Programs) -> None:
    ready = 'echo "{0}: ready $$"; exec sleep 60'
    with programs.supervisor(first=ready.format("first"), second=ready.format("second")) as all_of:
        all_of.wait_ready()
        first, second = pid(all_of, "first"), pid(all_of, "second")
        for count in range(1, 4):
            os.kill(pid(all_of, "first"), signal.SIGKILL)
            assert wait_until(lambda count=count: len(programs.said) == count)  # type: ignore[misc]
        assert pid(all_of, "first") != first and pid(all_of, "second") == second
        assert list(all_of.children) == ["first", "second"] and all_of.state("first") is State.READY
        all_of.check()
    assert all(line.startswith("first was killed by SIGKILL; it was restarted and is ready again after ") for line in programs.said)
    assert (
        programs.given[-1] == ("first", {"first": f"first: ready {first}", "second": f"second: ready {second}"}) or len(programs.given) == 5
    )


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("exit 0", "ended with status 0"),
        ("exit 1", "ended with status 1 (no output)"),
        ("echo no memory >&2; exit 3", "ended with status 3 (no memory)"),
    ],
)
def test_a_program_that_ends_by_itself_is_restarted(programs: Programs, end: str, reason: str) -> None:
    with programs.supervisor(
        only=f"if [ -e {programs.folder}/again ]; then echo 'only: ready'; exec sleep 60; fi; touch {programs.folder}/again; echo 'only: ready'; sleep 0.3; {end}"
    ) as all_of:
        all_of.wait_ready()
        assert wait_until(lambda: programs.said != [])
    assert programs.said[0].startswith(f"only {reason}; it was restarted and is ready again after ")


def test_a_program_that_cannot_be_restarted_is_tried_again_and_reported_less_and_less(programs: Programs) -> None:
    with programs.supervisor(only="echo 'only: ready'; exec sleep 60") as all_of:
        all_of.wait_ready()
        programs.write(only="echo the disk is full >&2; exit 1")
        os.kill(pid(all_of, "only"), signal.SIGKILL)
        assert wait_until(lambda: len(programs.said) == 3)
        programs.write(only="echo 'only: ready'; exec sleep 60")
        assert wait_until(lambda: all_of.state("only") is State.READY)
        assert wait_until(lambda: len(programs.said) > 3)
        all_of.check()
    assert "the disk is full); the start failed, the next one is in 0.1 s; see " in programs.said[0]
    assert "; 2 starts in a row failed, " in programs.said[1] and "; 4 starts in a row failed, " in programs.said[2]
    assert programs.said[-1].startswith("only was killed by SIGKILL; it was restarted and is ready again after ")


def test_a_program_that_does_not_start_is_reported_with_the_last_line_of_its_log(programs: Programs) -> None:
    (programs.folder / "first.log").write_text("a line of an earlier run\n")
    with programs.supervisor(first='echo "error: port: it is in use" >&2; exit 2', second="exit 0") as all_of:
        with pytest.raises(BadInput) as error:
            all_of.wait_ready()
        assert list(all_of.children) == ["first"]
    expected = "first: the program did not start: it ended with status 2 (error: port: it is in use); see "
    assert str(error.value) == f"{expected}{programs.folder / 'first.log'}"


def test_a_program_that_is_killed_at_its_first_start_is_started_again(programs: Programs) -> None:
    with programs.supervisor(only="kill -9 $$") as all_of, pytest.raises(BadInput, match="it was killed by SIGKILL"):
        all_of.wait_ready()
    assert len(programs.given) == 3


def test_a_program_that_is_not_ready_in_time_is_killed(programs: Programs) -> None:
    with (
        programs.supervisor(ready_seconds=0.2, only="exec sleep 60") as all_of,
        pytest.raises(BadInput, match=r"was not ready within 0\.2 s"),
    ):
        all_of.wait_ready()
    assert all_of.children["only"].process.returncode == -9


def test_a_start_can_be_cancelled(programs: Programs) -> None:
    with programs.supervisor(only="exec sleep 60") as all_of:
        assert not all_of.wait_ready(lambda: bool(all_of.children))
    assert all_of.children["only"].process.returncode == -15


def test_a_fault_of_the_supervisor_reaches_the_caller_and_ends_the_programs(programs: Programs) -> None:
    def broken(_: Mapping[str, str]) -> list[str]:
        raise ZeroDivisionError

    (first,) = programs.write(first="echo 'first: ready'; exec sleep 60")
    with Supervisor([first, Program("second", programs.folder / "log", broken)], programs.said.append) as all_of:
        with pytest.raises(ZeroDivisionError):
            all_of.wait_ready()
        assert wait_until(lambda: all_of.children["first"].ended)


def test_a_program_that_cannot_be_executed_is_one_line(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = programs.write(only="exit 0")
    monkeypatch.setattr(sys, "executable", str(programs.folder / "none"))
    with Supervisor(listed, programs.said.append) as all_of, pytest.raises(BadInput, match=r"it could not be started \(No such file"):
        all_of.wait_ready()


def test_stop_kills_a_program_that_ignores_sigterm(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.supervisor.program.DRAIN_SECONDS", 0.2)
    programs.write(only="trap '' TERM; echo 'only: ready'; while true; do sleep 0.1; done")
    child = ChildProcess("only", [], programs.folder / "log")
    assert wait_until(lambda: child.ready_line != "")
    child.stop()
    assert child.process.returncode == -9 and child.end_reason() == "was killed by SIGKILL"


KILLED = """
import sys, time
from pathlib import Path
from serving.supervisor.program import Program
from serving.supervisor.supervisor import Supervisor
sys.executable = sys.argv[1]
with Supervisor([Program("only", Path(sys.argv[2]), lambda _: [])], print) as supervisor:
    supervisor.wait_ready()
    print(supervisor.children["only"].process.pid, flush=True)
    time.sleep(60)
"""


def test_the_programs_of_a_killed_supervisor_get_sigterm(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    programs.write(only="trap 'echo drained >&2; exit 0' TERM; echo 'only: ready'; while true; do sleep 0.05; done")
    log = programs.folder / "only.log"
    command = [sys.executable, "-c", KILLED, str(programs.folder / "interpreter"), str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None and parent.stdout.readline().strip().isdigit()
        parent.kill()
    assert wait_until(lambda: log.read_text() == "drained\n")
    time.sleep(0.1)
    assert log.read_text() == "drained\n"


def test_a_program_that_answers_no_more_is_killed_and_restarted(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file `hung` stands for a process that is stopped or deadlocked: it lives, but does not answer."""
    monkeypatch.setattr("serving.supervisor.program.PROBE_SECONDS", 0.02)
    hung = tmp_path / "hung"
    [first] = programs.write(first='echo "first: ready $$"; exec sleep 60')
    asked = list[str]()

    def answers(ready: str) -> bool:
        asked.append(ready)
        return not hung.exists()

    with Supervisor([replace(first, answers=answers)], programs.said.append, QUICK, hung_seconds=0.5) as all_of:
        assert all_of.wait_ready()
        before = pid(all_of, "first")
        time.sleep(1)  # longer than the limit, and it answers
        assert pid(all_of, "first") == before and programs.said == []
        hung.touch()
        assert wait_until(lambda: pid(all_of, "first") != before)
        hung.unlink()
        assert wait_until(lambda: len(programs.said) == 1 and all_of.state("first") is State.READY)
    assert re.match(r"first did not answer for \d+ s and was killed; it was restarted and is ready again after ", programs.said[0])
    assert set(asked[:2]) == {f"first: ready {before}"}
