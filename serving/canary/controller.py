"""The canary controller (SERVE-5). It looks at the outcomes, asks the judge, and records the judge's move in the registry's log.

All its state is in the log and in the outcome records, so a controller that was killed continues where it stopped. Two controllers do no
harm: the second one loses the race for the log entry, or its move is illegal in the new state, and it looks again.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from robo_poet.judges.canary.judge import Verdict, judge
from robo_poet.judges.canary.observations import CANARY, StepFacts, UserObservation
from robo_poet.outcomes.observations import Observations
from robo_poet.registry.log.entry import Action, Conflict, Entry, IllegalMove
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import State, fold
from robo_poet.settings.canary import CanarySettings
from serving.canary.evidence import Evidence
from serving.gateway.backend.arms import exposure

log = logging.getLogger("serving.canary")
WHO = "canary controller"


@dataclass(frozen=True)
class Release:
    """A version that is being released.

    Attributes:
        watch: False in the ramp, when the version is canary; True after its promotion, while some users stay with the former champion.
        version, against: the version that is judged, and the (former) champion.
        experiment: identifies the release in the outcome records.
        step: index of the step in the policy; -1 before the first step; the number of steps in the watch.
        share: share of the users of the version.
        started, step_started: seconds since 1970, from the log.
        held: reason why a person holds the release; "" if it is not held.
        shares: step → share of the version's users, as recorded in the log.
    """

    watch: bool
    version: int
    against: int
    experiment: str
    step: int
    share: float
    started: float
    step_started: float
    held: str = ""
    shares: Mapping[int, float] = field(default_factory=dict)


def _seconds(entry: Entry) -> float:
    return datetime.fromisoformat(entry.statement.time).timestamp()


def _changed_by_hand(step: int, steps: int) -> str:
    return "" if step < steps else f"step {step} was set by hand, and the policy has the steps 0 to {steps - 1}"


def current_release(state: State, entries: Sequence[Entry], steps: int) -> Release | None:
    """Return the release that is going on, None if there is none."""
    if state.champion is None:
        return None
    if state.watch is not None:  # a new canary waits until all users have the champion
        began = _seconds(entries[state.watch.since - 1])
        share = 1 - state.watch.share
        return Release(
            True, state.champion, state.watch.former, exposure(state).experiment, steps, share, began, began, shares={steps: share}
        )
    if state.canary is not None:
        start = entries[state.canary_since - 1]
        moves = [entry for entry in entries[state.canary_since :] if entry.statement.action == Action.SET_SHARE]
        return Release(
            False, state.canary, state.champion, exposure(state).experiment, state.canary_step, state.canary_share, _seconds(start),
            _seconds(moves[-1] if moves else start), state.canary_held or _changed_by_hand(state.canary_step, steps),
            {move.statement.details["step"]: move.statement.details["share"] for move in moves},
        )  # fmt: skip
    return None


@dataclass(frozen=True)
class Look:
    """The release and the judge's verdict at one moment.

    Attributes:
        state: the state of the registry that the verdict is based on. A move is recorded only if nothing relevant has changed since.
    """

    state: State
    release: Release
    verdict: Verdict
    users: tuple[UserObservation, ...]
    facts: StepFacts


class Controller:
    """The controller of one model.

    Args:
        outcomes: folder of the model's outcome records.
        deadline: longest time of a request at the gateways, in seconds (`serve.deadline_seconds`).
        now: seconds since 1970.
    """

    def __init__(
        self, registry: Registry, outcomes: Path, settings: CanarySettings, evidence: Evidence, now: Callable[[], float] = time.time, *,
        deadline: float,
    ) -> None:  # fmt: skip
        self._registry, self._folder, self._settings, self._evidence, self._now = registry, outcomes, settings, evidence, now
        self._policy, self._deadline = settings.policy(), deadline
        self._observations: tuple[str, Observations] | None = None  # experiment, its observations

    @classmethod
    def of(cls, registry: Registry, settings: CanarySettings, folder: Path, deadline: float) -> "Controller":
        """Return the controller of a model. `folder` is the folder of the gateway's logs; for `deadline` see the class."""
        evidence = Evidence(folder / "canary" / registry.model / "evidence")
        return cls(registry, folder / "outcomes" / registry.model, settings, evidence, deadline=deadline)

    def look(self, *, bounds: bool = True) -> Look | None:
        """Return the present release and verdict, None without a release. Changes nothing.

        Args:
            bounds: False leaves out the bounds, which only people read.

        Raises:
            Corrupt: the log was changed.
            OSError: an outcome file cannot be read.
        """
        entries = self._registry.log()
        state = fold(entries)
        release = current_release(state, entries, len(self._policy.steps))
        if release is None:
            return None
        observed = self._observe(release)
        now, step = self._now(), release.step
        observed.update(now)
        fallback = observed.fallback(step).get(CANARY, 0.0)
        facts = StepFacts(
            step=step, started=release.step_started, now=now, canary_started=release.started, lost=observed.lost(step),
            identified=observed.identified(step), newest=observed.alive_at, fallback=fallback, shares=release.shares,
        )  # fmt: skip
        return Look(state, release, judge(observed.users, facts, self._policy, bounds=bounds), tuple(observed.users), facts)

    def _observe(self, release: Release) -> Observations:
        if self._observations is None or self._observations[0] != release.experiment:
            settings = self._settings
            observations = Observations(
                self._folder, release.experiment, requests=settings.user_requests, seconds=60 * settings.user_minutes,
                slow_seconds=settings.slow_seconds, watch_step=len(self._policy.steps), since=release.started,
                deadline=self._deadline,
            )  # fmt: skip
            self._observations = release.experiment, observations
        return self._observations[1]

    def act(self) -> tuple[str, Look | None]:
        """Look, and record the verdict's move. Return a line that describes the move, "" if nothing was moved, and the look.

        Raises:
            Corrupt: the log or the files of a version were changed. Nothing is moved then.
            OSError: an outcome file cannot be read.
        """
        look = self.look(bounds=False)
        if look is None or look.release.held:
            return "", look
        try:
            return self._move(look), look
        except (Conflict, IllegalMove) as error:  # another controller or a person was faster
            log.info("another writer changed the release (%s); looking again", error)
            return "", look

    def _move(self, look: Look) -> str:
        release, number, registry = look.release, look.release.version, self._registry
        if look.verdict.action in ("continue", "hold") and release.step >= 0:
            return ""
        look = replace(look, verdict=judge(look.users, look.facts, self._policy))  # again, with the bounds, for reason and evidence
        action, why = look.verdict.action, "; ".join(look.verdict.reasons)
        name = f"{registry.model}/{number}"
        if release.step < 0:  # nobody has seen the canary: there is nothing to judge, only files to verify
            action, why = "next_step", "first step; the files of the version are verified"
        if release.step < 0 or action == "promote":
            registry.verify(number)
        evidence = self._keep(look)
        if action == "next_step":
            step = release.step + 1
            share = self._policy.steps[step]
            registry.set_share(number, step, share, who=WHO, why=why, evidence=evidence, seen=look.state)
            return f"{name} serves {share:.0%} of the users: {why}"
        if action == "promote":
            watch_share = self._policy.watch_share
            registry.promote(number, who=WHO, why=why, watch_share=watch_share, evidence=evidence, seen=look.state)
            return f"{name} is promoted: {why}"
        if action == "end_watch":
            registry.end_watch(number, who=WHO, why=why, evidence=evidence, seen=look.state)
            return f"{name} serves all users: {why}"
        if release.watch:
            registry.verify(release.against)
            why = f"roll-back of version {number}: {why}"
            registry.promote(release.against, who=WHO, why=why, evidence=evidence, seen=look.state)
        else:
            registry.reject(number, who=WHO, why=why, evidence=evidence, seen=look.state)
        return f"{name} is rolled back to version {release.against}: {why}"

    def _keep(self, look: Look) -> str:
        return self._evidence.write({
            "experiment": look.release.experiment, "version": look.release.version, "against": look.release.against,
            "step": look.release.step, "share": look.release.share, "action": look.verdict.action, "reasons": list(look.verdict.reasons),
            "evidence": look.verdict.evidence,
        })  # fmt: skip
