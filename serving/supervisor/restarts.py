"""The state of a supervised program, and when it is started again. Pure: time and events are arguments."""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """What a program does now."""

    WAITING = "waiting"  # not running; it starts when `Restarts.due` has passed
    STARTING = "starting"  # running, not ready yet
    READY = "ready"
    FAILED = "failed"  # it is not started again


@dataclass(frozen=True)
class Backoff:
    """The waiting times between restarts, in seconds.

    After a failed start, the wait doubles from `first` to `longest`. A run that became ready limits the rate of restarts by its own start,
    which takes seconds. So the wait after such a run doubles only up to `longest_after_ready`, and requests are refused for a short time.

    Args:
        first: wait after the second failure in a row. The first failure is followed by a restart without a wait.
        longest: longest wait after a start that failed.
        longest_after_ready: longest wait after a run that had become ready.
        healthy: a run that was ready for this time resets the wait.
        first_starts: maximum number of starts until a program is ready for the first time.
    """

    first: float = 0.25
    longest: float = 30.0
    longest_after_ready: float = 1.0
    healthy: float = 10.0
    first_starts: int = 3

    def wait(self, failures: int, was_ready: bool) -> float:
        """Return the wait before the next start.

        Args:
            failures: number of runs in a row that ended before they were healthy; at least 1.
            was_ready: the last run had become ready.
        """
        if failures <= 1:
            return 0.0
        doublings = min(failures - 2, 32)  # 2**32 seconds is above any limit, and a float holds it
        return min(self.first * 2.0**doublings, self.longest_after_ready if was_ready else self.longest)


@dataclass(frozen=True)
class Restarts:
    """The restart state of one program. Each method returns the next state.

    A program that was ready once is restarted for ever: the other programs still serve, and the cause (memory, a full disk) often passes.
    A program that was never ready ends the service: the same settings would fail again, and the user is still at the terminal. Only if
    another process killed it, it is started again, `Backoff.first_starts` times in all.

    Attributes:
        since: time at which the program entered its state, in seconds.
        due: time of the next start, in seconds; used in the state `WAITING`.
        failures: number of runs in a row that ended before they were healthy.
        ever_ready: the program has been ready at least once.
    """

    backoff: Backoff = Backoff()
    state: State = State.WAITING
    since: float = 0.0
    due: float = 0.0
    failures: int = 0
    ever_ready: bool = False

    def may_start(self, now: float) -> bool:
        """Return True if the program is to be started now."""
        return self.state is State.WAITING and now >= self.due

    def started(self, now: float) -> "Restarts":
        """Return the state after a start."""
        return replace(self, state=State.STARTING, since=now)

    def ready(self, now: float) -> "Restarts":
        """Return the state after the program has become ready."""
        return replace(self, state=State.READY, since=now, ever_ready=True)

    def ended(self, now: float, *, killed: bool) -> "Restarts":
        """Return the state after the program has ended, or could not be started.

        Args:
            killed: another process ended it with a signal.
        """
        was_ready = self.state is State.READY
        failures = 1 if was_ready and now - self.since >= self.backoff.healthy else self.failures + 1
        if not self.ever_ready and not (killed and failures < self.backoff.first_starts):
            return replace(self, state=State.FAILED, since=now, failures=failures)
        return replace(self, state=State.WAITING, since=now, failures=failures, due=now + self.backoff.wait(failures, was_ready))
