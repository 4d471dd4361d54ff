"""Versions are promoted and rolled back by the controller while users ask without a pause (SERVE-5).

The policy has small steps and large margins. The effects are far beyond the margins, and both error rates are 1e-4, so a wrong verdict
would be seen once in 250 runs of the soak.
"""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.registry.log.entry import Action
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import Stage
from serving.access.api_keys import KeyStore
from serving.canary.controller import WHO
from serving.telemetry.pseudonym import Pseudonyms, read_or_create_key, reader_of
from tests.e2e.conftest import Shell
from tests.e2e.releases.assignment import changes_without_a_decision
from tests.e2e.releases.traffic import APPLICATION, Answer, Traffic, traffic
from tests.e2e.releases.versions import Kind, damage, make_models, register
from tests.e2e.served import Served

MODEL, SAID = "ci-shakespeare", {"who": "test", "why": "a test"}
RATE = 12.0  # requests per second
MOST_SECONDS = 1500.0  # of the whole test
VERDICT_SECONDS, LAG_SECONDS = 240.0, 20.0  # until a verdict; until a gateway follows a decision, which includes the load of a version
SETTINGS = {
    "serve.signature": "generate", "serve.look_seconds": 0.5, "serve.deadline_seconds": 10, "serve.in_flight_per_user": 1000,
    "serve.in_flight": 1000, "serve.connections_per_address": 1000, "serve.content_filter.rules.completion": "log",
    "serve.access.requests_per_minute": 1_000_000, "serve.access.ip_requests_per_minute": 1_000_000,
    "canary.min_users": 60, "canary.min_minutes": 0.01, "canary.user_minutes": 0.02, "canary.look_seconds": 0.5,
    "canary.watch_share": 0.1, "canary.watch_hours": 0.001, "canary.false_rollback": 1e-4, "canary.false_promotion": 1e-4,
    "canary.margins.errors": 0.2, "canary.margins.refusals": 0.2, "canary.margins.slow": 0.3, "canary.margins.degenerate": 0.3,
    "canary.margins.length": 0.5, "canary.margins.quality": 0.5, "canary.only_veto": '["length", "quality", "ratings"]',
}  # fmt: skip
# Either may be proven first: the damaged weights of a degenerate version have bad shadow scores.
REASONS = {
    Kind.SLOW: ("slow requests",), Kind.FAILING: ("failed requests",), Kind.DEGENERATE: ("degenerate texts", "quality"),
}  # fmt: skip


@dataclass(frozen=True)
class Release:
    """What became of a version. `seconds`: from its start as canary to the verdict."""

    kind: Kind
    number: int
    seconds: float


class Place:
    """A served registry, whose champion is a good version.

    Attributes:
        models: the model folders of the kinds.
        releases: what was released so far.
    """

    def __init__(self, shell: Shell, training: Path, tokenizer: Path, kinds: Sequence[Kind], steps: str) -> None:
        self.shell, self.tokenizer = shell, tokenizer
        self.models = make_models(training, shell.folder, set(kinds) | {Kind.GOOD})
        self.registry = Registry(shell.folder / "registry", MODEL)
        self.registry.promote(register(self.registry, self.models, tokenizer, Kind.GOOD).number, **SAID)
        self.releases: list[Release] = []
        words = [word for name, value in {**SETTINGS, "canary.steps": steps}.items() for word in ("--set", f"{name}={value}")]
        self.served = Served(shell, "--profile", "ci", *words)
        self.second = shell.start("canary", "run", "--profile", "ci", *words)  # a second controller, beside the one of `serve`
        self.logs = shell.folder / ".serve"
        self.key = KeyStore(self.logs / "keys").create(APPLICATION, ("generate", "end-users"), 1).text
        time.sleep(1.5)  # the gateway looks for new keys each second

    def release(self, kind: Kind, load: Traffic) -> None:
        """Register a version, start it as canary, and wait for the verdict of the controller."""
        number, began = register(self.registry, self.models, self.tokenizer, kind).number, time.monotonic()
        self.registry.start_canary(number, **SAID)
        if kind == Kind.DAMAGED:
            damage(self.registry.version(number))
            time.sleep(5)
            assert self.registry.state().canary_share == 0
            self.registry.reject(number, **SAID)
            self.registry.purge(number, **SAID)
        while not self._decided(number):
            assert load.error is None and self.served.process.poll() is None and self.second.poll() is None
            assert time.monotonic() - began < VERDICT_SECONDS, self.shell.type("canary", "status", "--profile", "ci")
            time.sleep(0.2)
        self.releases.append(Release(kind, number, time.monotonic() - began))

    def _decided(self, number: int) -> bool:
        state = self.registry.state()
        return state.record(number).stage != Stage.CANARY and state.watch is None

    def end(self) -> None:
        """Stop the servers and the second controller."""
        self.second.terminate()
        out, err = self.second.communicate(timeout=30)
        self.served.end()
        assert self.second.returncode == 0 and "Traceback" not in out + err, out + err

    def check(self, answers: Sequence[Answer]) -> None:
        """Check all promises, after the servers have ended."""
        entries = self.registry.log()
        for one in self.releases:
            moves = [(entry.statement.action, entry.statement.who) for entry in entries if entry.statement.version == one.number][2:]
            record = self.registry.state().record(one.number)
            if one.kind == Kind.GOOD:  # each move once, although two controllers look
                assert moves == [(Action.SET_SHARE, WHO), (Action.PROMOTE, WHO), (Action.END_WATCH, WHO)], one
            elif one.kind in REASONS:
                assert moves == [(Action.SET_SHARE, WHO), (Action.REJECT, WHO)] and any(
                    reason in record.why for reason in REASONS[one.kind]
                ), (one, record.why)
            else:
                assert all(who != WHO for _, who in moves), one
        self.registry.verify()
        self._check_requests(answers)
        assert changes_without_a_decision(answers, entries, LAG_SECONDS) == []
        logs = {name: (self.logs / f"{name}.log").read_text() for name in ("gateway", "model_server", "canary")}
        assert [name for name, text in logs.items() if "Traceback" in text] == []

    def _check_requests(self, answers: Sequence[Answer]) -> None:
        """Each request left one outcome, and only those of a failing version failed."""
        failing = {one.number for one in self.releases if one.kind == Kind.FAILING}
        pseudonyms = Pseudonyms(read_or_create_key(self.logs / "pseudonyms.key"))
        outcomes = [fields for _, fields in OutcomeReader(self.logs / "outcomes" / MODEL).read() if fields["kind"] == "outcome"]
        assert [fields for fields in outcomes if fields["status"] != 200 and fields["version"] not in failing] == []
        assert [answer for answer in answers if answer.status != 200 and answer.fault != "model_failed"] == []
        asked = Counter((pseudonyms.user(reader_of(APPLICATION, answer.user)), answer.status, answer.version) for answer in answers)
        left = Counter((fields["user"], fields["status"], fields["version"] if fields["status"] == 200 else 0) for fields in outcomes)
        assert asked == left


@pytest.mark.soak
@pytest.mark.timeout(MOST_SECONDS + 600)
def test_twenty_promotions_and_twenty_roll_backs_in_a_row(shell: Shell, toy_training: Path, toy_tokenizer: Path) -> None:
    kinds = [Kind.GOOD] * 20 + [Kind.FAILING] * 7 + [Kind.SLOW] * 7 + [Kind.DEGENERATE] * 6 + [Kind.DAMAGED] * 3
    random.Random(3).shuffle(kinds)
    place = Place(shell, toy_training / "model", toy_tokenizer, kinds, "[0.5]")
    ends = time.monotonic() + MOST_SECONDS
    try:
        with traffic(place.served.address, place.key, RATE, MOST_SECONDS + VERDICT_SECONDS) as load:
            for kind in kinds:
                if time.monotonic() < ends:
                    place.release(kind, load)
    finally:
        place.end()
    for kind in Kind:
        times = [one.seconds for one in place.releases if one.kind == kind]
        print(f"{kind}: {len(times)} releases, {min(times, default=0):.0f} to {max(times, default=0):.0f} s")
    statuses = dict(Counter(answer.status for answer in load.answers))
    print(f"{len(load.answers)} requests by {len({answer.user for answer in load.answers})} users: {statuses}")
    place.check(load.answers)
    assert len(place.releases) == len(kinds), "the time was over"
