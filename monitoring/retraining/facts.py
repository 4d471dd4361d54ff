"""What the trigger reads from other programs: the champion and its baseline from the registry, the window from the drift watcher; and what
people read of its requests."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from monitoring.drift.baseline import read_baseline
from monitoring.drift.history import History
from robo_poet.digest import digest_json
from robo_poet.errors import BadInput
from robo_poet.judges.drift.baseline import baseline_json
from robo_poet.judges.retraining.decision import Decision, Facts, next_step
from robo_poet.judges.retraining.policy import RetrainingPolicy
from robo_poet.judges.retraining.state import Key, Request, State
from robo_poet.registry.names import BUNDLED_SOURCE
from robo_poet.registry.reader import RegistryReader

log = logging.getLogger("monitoring.retraining")
BASELINE_DIGITS = 16  # of the digest of a baseline, in the label of the alert
WORDS = {"start": "starts now", "wait_for_approval": "waits for a person", "wait": "waits", "refuse": "will be refused"}


class ShownRequest(NamedTuple):
    """A request for people.

    Attributes:
        step: what is done next; None if the request does not wait.
        state: its state in words.
        reason: why.
    """

    request: Request
    step: Decision | None
    state: str
    reason: str


def shown_requests(state: State, facts: Facts, policy: RetrainingPolicy, now: float) -> list[ShownRequest]:
    """Return all requests, oldest first. `now` is in seconds since 1970."""
    rows = []
    for request in state.requests:
        step = next_step(state, request, facts, policy, now) if request.status == "open" else None
        words, reason = (WORDS[step.action], "; ".join(step.reasons)) if step else (request.status, request.why)
        rows.append(ShownRequest(request, step, words, reason))
    return rows


def read_facts(store: RegistryReader) -> Facts:
    """Return champion and baseline of a model.

    Raises:
        BadInput: the registry cannot be read, or was changed.
    """
    version = store.champion()
    baseline = read_baseline(store, version) if version else None
    digest = digest_json(baseline_json(baseline))[:BASELINE_DIGITS] if baseline else ""
    return Facts(store.model, version.number if version else None, digest)


def corpus_of_champion(store: RegistryReader) -> str:
    """Return the address of the corpus of the champion; empty for the bundled corpora.

    The lineage of a version has the name of its corpus and no path. So it is the newest address with this name; without a champion or such
    an address, the newest of all. The corpus of a version that was rejected later does not count.
    """
    sources, champion = store.state().sources, store.champion()
    name = champion.manifest().lineage.get("source") if champion else None
    source = next((source for source in reversed(sources) if Path(source).name == name), sources[-1] if sources else BUNDLED_SOURCE)
    return "" if source == BUNDLED_SOURCE else source


def window_of(history: History) -> Callable[[Key], str]:
    """Return a function that takes a key and returns the digest of the snapshot of its newest drift; empty if it is not known.

    An unreadable history must not stop a retraining, so it is only a warning in the log.
    """

    def digest(key: Key) -> str:
        try:
            drifts = [judged for judged in history.judged() if judged.action == "drift"]
        except (BadInput, OSError) as error:
            log.warning("the window of a drift is not known: %s", error)
            return ""
        wanted = (key.version, key.baseline, key.cause)
        same = (drift for drift in reversed(drifts) if (drift.version, drift.baseline[:BASELINE_DIGITS], drift.cause) == wanted)
        return next((drift.snapshot for drift in same), "")

    return digest
