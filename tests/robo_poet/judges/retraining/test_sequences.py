"""Properties of retraining over sequences of alerts and outcomes: what a driver that follows the judge can never do."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from robo_poet.judges.retraining.decision import Alert, Facts, decide, next_step, spent_hours
from robo_poet.judges.retraining.policy import CAUSES, RetrainingPolicy
from robo_poet.judges.retraining.state import Action, Event, Key, Request, State, apply, fold

BASELINES = ("a" * 16, "b" * 16)
KEYS = st.builds(Key, st.just("poems"), st.integers(1, 3), st.sampled_from(BASELINES), st.sampled_from(CAUSES))
HOUR = 3600.0


class Driver(RuleBasedStateMachine):
    """Alerts of any key in any order, people who decide, runs that end in any way, champions and clocks that change."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.events, self.now = State(), list[Event](), 1.8e9
        self.facts = Facts("poems", 1, BASELINES[0])
        self.policy = RetrainingPolicy(enabled="automatic", cool_down_hours=24, budget_hours=12, run_hours=2, attempts=3)

    def record(self, action: Action, key: Key, **details: object) -> None:
        event = Event(action, key, self.now, "ada", "test", **details)  # type: ignore[arg-type]
        self.state = apply(self.state, event)
        self.events.append(event)

    @rule(key=KEYS, firing=st.booleans(), times=st.integers(1, 4))
    def alert(self, key: Key, firing: bool, times: int) -> None:
        for _ in range(times):
            action = decide(self.state, Alert(key, firing, "2027-01-15T08:00:00Z"), self.facts, self.policy, self.now).action
            assert firing or action == "ignore"
            if action not in ("ignore", "duplicate"):
                self.record("asked", key)

    @rule()
    def look(self) -> None:
        for request in self.state.open:
            decision = next_step(self.state, request, self.facts, self.policy, self.now)
            if decision.action == "refuse":
                self.record("refused", request.key, rule=True)
            elif decision.action == "start":
                assert (request.key.version, request.key.baseline) == (self.facts.champion, self.facts.baseline)
                assert request.key.cause != "broken or hostile input" and self.policy.enabled != "off"
                assert request.approved or (self.policy.enabled == "automatic" and request.key.cause in self.policy.causes)
                assert spent_hours(self.state, self.policy, self.now) + self.policy.run_hours <= self.policy.budget_hours
                ends = [run.ended for other in self.state.requests if other.key != request.key for run in other.runs]
                assert all(end is not None and self.now >= end + self.policy.cool_down_hours * HOUR for end in ends)
                self.record("started", request.key, run=f"r{len(self.events)}")

    @precondition(lambda self: self.state.open)
    @rule(data=st.data())
    def person_refuses(self, data: st.DataObject) -> None:
        self.record("refused", data.draw(st.sampled_from(self.state.open)).key)

    @precondition(lambda self: self.approvable())
    @rule(data=st.data())
    def person_approves(self, data: st.DataObject) -> None:
        self.record("approved", data.draw(st.sampled_from(self.approvable())).key)

    def approvable(self) -> list[Request]:
        refused = [request for request in self.state.requests if request.status == "refused" and not request.by_person]
        return [*refused, *(request for request in self.state.open if not request.approved)]

    @precondition(lambda self: self.state.running)
    @rule(action=st.sampled_from(("finished", "failed")), hours=st.floats(0, 6))
    def run_ends(self, action: Action, hours: float) -> None:
        request = self.state.running
        assert request is not None
        self.record(action, request.key, run=request.runs[-1].id, hours=hours)

    @rule(hours=st.floats(-48, 400))
    def time_goes_on(self, hours: float) -> None:
        self.now += hours * HOUR

    @rule(champion=st.integers(1, 3), baseline=st.sampled_from(BASELINES))
    def another_champion(self, champion: int, baseline: str) -> None:
        self.facts = Facts("poems", champion, baseline)

    @rule(enabled=st.sampled_from(("off", "ask", "automatic")))
    def another_profile(self, enabled: str) -> None:
        self.policy = replace(self.policy, enabled=enabled)

    @invariant()
    def one_run_at_a_time_and_one_success_for_each_cause(self) -> None:
        assert sum(request.status == "running" for request in self.state.requests) <= 1
        assert len({request.key for request in self.state.requests}) == len(self.state.requests)
        for request in self.state.requests:
            own = [event.action for event in self.events if event.key == request.key]
            assert own.count("finished") <= 1 and own.count("started") == len(request.runs)
            assert len(request.runs) <= self.policy.attempts * (1 + own.count("approved")) and request.failed >= 0
            assert "finished" not in own[:-1], "nothing follows the end of a run that did not fail"

    @invariant()
    def the_log_alone_gives_the_state(self) -> None:
        assert fold(self.events) == self.state


TestDriver = Driver.TestCase
TestDriver.settings = settings(stateful_step_count=30)
