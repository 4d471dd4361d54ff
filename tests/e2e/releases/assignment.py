"""The check that a user changes the version only by a decision in the registry's log."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from robo_poet.registry.log.entry import Entry
from robo_poet.registry.state.state import State, fold
from serving.gateway.backend.arms import choose, exposure
from serving.telemetry.pseudonym import reader_of
from tests.e2e.releases.traffic import APPLICATION, Answer


class Exposures:
    """The exposures that a log has had, in their order. A gateway goes through them in this order, and may skip some.

    Args:
        lag: seconds from a decision until every request follows it.
    """

    def __init__(self, entries: Sequence[Entry], lag: float) -> None:
        self._lag = lag
        self._times = [datetime.fromisoformat(entry.statement.time).timestamp() for entry in entries]
        states: list[State] = [fold(entries[: count + 1]) for count in range(len(entries))]
        self._exposures = [exposure(state) for state in states]

    def position(self, answer: Answer, earliest: int) -> int | None:
        """Return the first exposure, from `earliest` on, that explains the answer; None if there is none."""
        reader = reader_of(APPLICATION, answer.user)
        for number in range(earliest, len(self._exposures)):
            if self._times[number] > answer.ended + 1e-3:
                return None
            replaced = self._times[number + 1] if number + 1 < len(self._times) else float("inf")
            shown = self._exposures[number]
            if replaced < answer.begun - self._lag or not shown.arms:
                continue
            arm = choose(reader, shown.arms, shown.experiment)
            if (arm.version, arm.name) == (answer.version, answer.arm):
                return number
        return None


def changes_without_a_decision(answers: Sequence[Answer], entries: Sequence[Entry], lag: float) -> list[Answer]:
    """Return the answers that do not follow from the log.

    Of each user, the answers must follow from exposures in the order of the log: nobody goes back to what an earlier decision said.
    """
    exposures, wrong = Exposures(entries, lag), []
    by_user: dict[str, list[Answer]] = defaultdict(list)
    for answer in sorted(answers, key=lambda answer: answer.begun):
        if answer.version:
            by_user[answer.user].append(answer)
    for own in by_user.values():
        position = 0
        for answer in own:
            if (found := exposures.position(answer, position)) is None:
                wrong.append(answer)
            else:
                position = found
    return wrong
