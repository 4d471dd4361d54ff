"""Runs a list of programs, restarts those that end, and stops them in reverse order."""

import threading
import time
from collections.abc import Callable, Sequence

from robo_poet.errors import BadInput
from serving.supervisor.program import ChildProcess, Program
from serving.supervisor.restarts import Backoff, Restarts, State

READY_SECONDS = 120.0
POLL_SECONDS = 0.05
HUNG_SECONDS = 60.0  # twice the request deadline; a busy machine answers a probe within 1 s


class Supervisor:
    """A supervisor of programs. Use it as a context manager: the programs stop at the end of the block, the last one first.

    At first, the programs start one after the other, because a later one may need an earlier one's address. After that, each is restarted
    independently of the others.

    Args:
        programs: the programs in the order of their first start.
        say: called with a line for the user at each restart for a start that fails, and for each line of a program with
            `tells`. It is called in other threads.
        backoff: waiting times between restarts; None for the defaults.
        ready_seconds: a program that is not ready after this time is killed, and counts as ended.
        hung_seconds: a program that answers no probe for this time is killed and restarted.
    """

    def __init__(
        self, programs: Sequence[Program], say: Callable[[str], None], backoff: Backoff | None = None,
        ready_seconds: float = READY_SECONDS, hung_seconds: float = HUNG_SECONDS,
    ) -> None:  # fmt: skip
        self._programs, self._say, self._ready_seconds, self._hung_seconds = programs, say, ready_seconds, hung_seconds
        self._restarts = {program.name: Restarts(backoff or Backoff()) for program in programs}
        self._reasons: dict[str, str] = {}  # why the last run ended
        self._down_since: dict[str, float] = {}
        self._failed_starts = dict.fromkeys(self._restarts, 0)  # since the program was ready
        self._stopping, self._settled = threading.Event(), threading.Event()
        self._failure: Exception | None = None
        # One thread starts and stops all children, because a child ends with the thread that started it.
        self._thread = threading.Thread(target=self._run, name="supervisor")
        self.ready_lines: dict[str, str] = {}
        self.children: dict[str, ChildProcess] = {}

    def __enter__(self) -> "Supervisor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def wait_ready(self, cancelled: Callable[[], bool] = lambda: False) -> bool:
        """Wait until all programs have been ready. Return False if `cancelled` returns True first.

        Raises:
            BadInput: a program did not start. Its log has the reason.
        """
        while not self._settled.wait(POLL_SECONDS):
            if cancelled():
                return False
        self.check()
        return True

    def check(self) -> None:
        """Raise the error that ended the supervision, if there is one.

        Raises:
            BadInput: a program did not start.
        """
        if self._failure is not None:
            raise self._failure

    def state(self, name: str) -> State:
        """Return the state of a program."""
        return self._restarts[name].state

    def _run(self) -> None:
        try:
            while not self._stopping.is_set() and self._failure is None:
                self._step()
                if all(restarts.ever_ready for restarts in self._restarts.values()):
                    self._settled.set()
                self._stopping.wait(POLL_SECONDS)
        except Exception as error:  # a bug: the caller raises it again
            self._failure = error
        finally:
            self._settled.set()
            for child in reversed(self.children.values()):
                child.stop()

    def _step(self) -> None:
        """Start the programs that are due, and handle those that became ready or ended."""
        for program in self._programs:
            restarts = self._restarts[program.name]
            if restarts.state is State.STARTING:
                self._check_start(program)
            elif restarts.state is State.READY:
                self._check_running(program)
            elif restarts.may_start(time.monotonic()):
                self._start(program)
            if not self._restarts[program.name].ever_ready:
                break  # the next program may need the address of this one

    def _start(self, program: Program) -> None:
        self._restarts[program.name] = self._restarts[program.name].started(time.monotonic())
        try:
            # Sorted by the order of the list, because the children are stopped in reverse order.
            say = (self._say,) if program.tells else ()
            child = ChildProcess(program.name, program.arguments(self.ready_lines), program.log, *say)
        except OSError as error:  # for example no memory, no process, or a full disk
            self._ended(program, f"could not be started ({error.strerror or error})", killed=False)
            return
        started = {**self.children, program.name: child}
        self.children = {name: started[name] for name in self._restarts if name in started}

    def _check_start(self, program: Program) -> None:
        child, now = self.children[program.name], time.monotonic()
        if child.ready_line:
            self.ready_lines[program.name] = child.ready_line
            self._restarts[program.name] = self._restarts[program.name].ready(now)
            self._failed_starts[program.name] = 0
            if program.answers:
                child.probe(program.answers)
            if program.name in self._reasons:
                down = now - self._down_since.pop(program.name, now)
                self._say(f"{program.name} {self._reasons.pop(program.name)}; it was restarted and is ready again after {down:.1f} s")
        elif child.ended:
            self._ended(program, child.end_reason(), killed=child.killed)
        elif now - self._restarts[program.name].since > self._ready_seconds:
            child.kill()
            self._ended(program, f"was not ready within {self._ready_seconds:g} s", killed=False)

    def _check_running(self, program: Program) -> None:
        child = self.children[program.name]
        if child.ended:
            self._ended(program, child.end_reason(), killed=True)
        elif program.answers:
            silent = time.monotonic() - (child.answered or self._restarts[program.name].since)
            if silent > self._hung_seconds:
                child.kill()
                self._ended(program, f"did not answer for {silent:.0f} s and was killed", killed=True)

    def _ended(self, program: Program, reason: str, *, killed: bool) -> None:
        now, name, before = time.monotonic(), program.name, self._restarts[program.name]
        after = self._restarts[name] = before.ended(now, killed=killed)
        if after.state is State.FAILED:
            self._failure = BadInput(f"the program did not start: it {reason}", where=name, remedy=f"see {program.log}")
            return
        self._reasons.setdefault(name, reason)
        self._down_since.setdefault(name, now)
        if before.state is State.READY:
            return
        count = self._failed_starts[name] = self._failed_starts[name] + 1
        if count & (count - 1) == 0:  # a line after 1, 2, 4, 8 … failed starts, not one each 30 s
            failed = f"{count} starts in a row failed" if count > 1 else "the start failed"
            self._say(f"{name} {reason}; {failed}, the next one is in {after.due - now:.1f} s; see {program.log}")
