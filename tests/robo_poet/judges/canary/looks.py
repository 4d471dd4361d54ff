"""The judge's answers after every user, as fast as one look. `test_looks` proves that they equal `judge` on the users so far."""

from collections.abc import Callable, Sequence

import numpy as np

from robo_poet.judges.canary.effects import split_is_wrong
from robo_poet.judges.canary.findings import Course, Finding, course_of, finding_at
from robo_poet.judges.canary.guardrails import MEASURES, comparable
from robo_poet.judges.canary.judge import SPLIT_LEVEL, Action, decide
from robo_poet.judges.canary.observations import StepFacts, UserObservation
from robo_poet.judges.canary.policy import Policy


def looks(
    users: Sequence[UserObservation], facts_at: Callable[[int], StepFacts], policy: Policy, first: int = 0
) -> list[tuple[Action, list[str]]]:
    """Return the answer after each user from a position on, with reasons that may be those of an earlier look with the same answer.

    `decide` is asked again only if something that it depends on has changed since the look before.

    Args:
        users: possible observations of the steps until the present one, in the order of freezing.
        facts_at: position of the newest user → facts of that look; the step is the same in all of them.
    """
    step = facts_at(first).step
    compared = comparable(users, policy)
    places = {id(user): position for position, user in enumerate(users)}
    kept = np.array([places[id(user)] for user in compared.users], np.int64)
    counts = np.searchsorted(kept, np.arange(first, len(users)), side="right")  # compared users at each look
    courses = {name: course_of(name, compared, policy) for name in policy.guardrails}
    at = {name: _newest(course, counts) for name, course in courses.items()}
    split = np.concatenate(([False], split_is_wrong(compared.canary, compared.shares, SPLIT_LEVEL)))[counts]
    here = np.cumsum([user.step == step for user in users])[first:]
    facts = [facts_at(position) for position in range(first, len(users))]
    columns = [split, here >= policy.min_users]
    columns.append(np.array([look.now - look.started >= 60 * policy.min_minutes for look in facts]))
    columns.append(np.array([look.now - look.canary_started >= 3600 * policy.max_hours for look in facts]))
    for name, course in courses.items():
        if course is not None:
            margin, sign = policy.guardrails[name].margin, np.abs if MEASURES[name].form == "relative" else np.asarray
            flags = course.harmful, course.safe, sign(course.recent) > margin
            columns += [at[name] >= 0, *(np.where(at[name] >= 0, flag[at[name]], False) for flag in flags)]
    state = np.array(columns)
    changed = np.concatenate(([True], np.any(state[:, 1:] != state[:, :-1], axis=0)))
    answers: list[tuple[Action, list[str]]] = []
    for look, is_new in enumerate(changed):
        if is_new:
            findings = [_finding(name, course, policy, int(at[name][look])) for name, course in courses.items()]
            answer = decide(findings, facts[look], policy, int(here[look]), "users of one arm are missing" if split[look] else "")
        answers.append(answer)
    return answers


def _newest(course: Course | None, counts: np.ndarray) -> np.ndarray:
    """Return the entry of a course at each look; -1 before the first user with a value."""
    return np.full(len(counts), -1) if course is None else np.searchsorted(course.positions, counts, side="left") - 1


def _finding(name: str, course: Course | None, policy: Policy, at: int) -> Finding:
    if course is None or at < 0:
        return Finding(name, MEASURES[name], policy.guardrails[name], 0)
    return finding_at(name, course, policy, at, bounds=False)
