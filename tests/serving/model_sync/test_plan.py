import os

from hypothesis import given, settings
from hypothesis import strategies as st

from serving.model_sync.plan import AVAILABLE, Config, Loaded, idle, next_config, removable
from tests.serving.model_sync.simulated_server import SimulatedServer

EXAMPLES = 1000 if os.environ.get("ROBO_POET_SOAK") == "1" else 100
NUMBERS = st.integers(1, 4)
BOTH = {1: AVAILABLE, 2: AVAILABLE}


def test_a_promotion_loads_then_moves_the_label_then_unloads() -> None:
    one, wanted = Config(frozenset({1}), {"stable": 1}), {"stable": 2}
    both = next_config(wanted, Loaded({1: AVAILABLE}, stable=1), one)
    assert both == Config(frozenset({1, 2}), {"stable": 1})
    assert next_config(wanted, Loaded({1: AVAILABLE, 2: "LOADING"}, stable=1), both, drained={1}) == both
    moved = next_config(wanted, Loaded(BOTH, stable=1), both, drained={1})
    assert moved == Config(frozenset({1, 2}), {"stable": 2})
    assert next_config(wanted, Loaded(BOTH, stable=1), moved, drained={1}) == moved  # the server has not read it yet
    assert next_config(wanted, Loaded(BOTH, stable=2), moved) == moved and idle(wanted, Loaded(BOTH, stable=2), moved) == {1}
    assert next_config(wanted, Loaded(BOTH, stable=2), moved, drained={1}) == Config(frozenset({2}), {"stable": 2})


def test_files_are_removed_only_when_the_server_reports_the_version_unloaded() -> None:
    wanted, config = {"stable": 2}, Config(frozenset({2}), {"stable": 2})
    for state in ("LOADING", AVAILABLE, "UNLOADING"):
        assert removable(wanted, Loaded({1: state, 2: AVAILABLE}, stable=2), config, {1, 2}) == frozenset()
    for states in ({1: "END", 2: AVAILABLE}, {2: AVAILABLE}):
        assert removable(wanted, Loaded(states, stable=2), config, {1, 2}) == {1}
        assert removable(wanted, Loaded(states, stable=1), config, {1, 2}) == frozenset()
    assert removable(wanted, None, config, {1, 2}) == frozenset()  # the server does not answer
    assert removable({}, Loaded({1: "END", 2: AVAILABLE}, stable=2), config, {1, 2}) == frozenset()  # the champion is damaged


def test_without_an_answer_versions_are_added_and_nothing_else_changes() -> None:
    assert next_config({"stable": 2}, None, Config(frozenset({1}), {"stable": 1}), {1}) == Config(frozenset({1, 2}), {"stable": 1})


def test_a_label_of_a_rejected_canary_is_removed_at_once() -> None:
    current = Config(frozenset({1, 2}), {"stable": 1, "canary": 2})
    assert next_config({"stable": 1, "canary": 3}, Loaded(BOTH, stable=1), current).labels == {"stable": 1}


def test_a_former_champion_stays_while_it_keeps_users() -> None:
    wanted = {"stable": 2, "former": 1}
    config = next_config(wanted, Loaded(BOTH, stable=2), Config(frozenset({1, 2}), {"stable": 2}), drained={1})
    assert config == Config(frozenset({1, 2}), wanted) and idle(wanted, Loaded(BOTH, stable=2), config) == frozenset()


def test_a_champion_that_cannot_be_loaded_leaves_the_former_one_in_service() -> None:
    loaded = Loaded({1: AVAILABLE, 2: "END"}, {2: "no such op"}, stable=1)
    current = Config(frozenset({1, 2}), {"stable": 1})
    assert next_config({"stable": 2}, loaded, current, drained={1}) == current


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, int]:
    """What a registry can want."""
    labels = ["stable", *draw(st.lists(st.sampled_from(["canary", "former"]), unique=True))]
    numbers = draw(st.lists(NUMBERS, min_size=len(labels), max_size=len(labels), unique=True))
    return dict(zip(labels, numbers, strict=True))


EVENTS = st.lists(
    st.one_of(
        wishes(), st.sets(NUMBERS, max_size=2).map(frozenset), st.sampled_from(["look", "look", "lost look", "read", "work", "drain", "crash", "kill"])
    ),
    max_size=60,
)  # fmt: skip


class Simulation:
    """The program, its folder and a model server. Each method is an event, in any order."""

    def __init__(self, wanted: dict[str, int]) -> None:
        self.wanted, self.server = wanted, SimulatedServer()
        self.config, self.copies = Config(frozenset(wanted.values())), frozenset(wanted.values())
        self.idle, self.drained = frozenset[int](), frozenset[int]()
        self.server.start(self.config)
        self.crashed = False

    def look(self, *, lost: bool = False) -> None:
        self.copies |= frozenset(self.wanted.values())
        loaded = None if lost else self.server.ask(stable=True)
        if loaded:
            self.idle = idle(self.wanted, loaded, self.config)
            self.drained &= self.idle
        before, self.config = self.config, next_config(self.wanted, loaded, self.config, self.drained)
        removed = removable(self.wanted, loaded, self.config, self.copies)
        self.copies -= removed
        # A label points to a version that is not loaded only if nothing is known about the server.
        assert all(loaded.available(number) for number in self.config.labels.values()) if loaded else self.config.labels == before.labels
        assert frozenset(self.config.labels.values()) <= self.config.versions <= self.copies
        assert not removed & {number for number, state in self.server.states.items() if state != "END"}
        assert before.versions - self.config.versions <= self.drained

    def event(self, event: object) -> None:
        if isinstance(event, dict):
            self.wanted = event
        elif isinstance(event, frozenset):
            self.server.broken = set(event)
        elif event == "kill":  # the program is started again: it has forgotten the times
            self.idle = self.drained = frozenset()
        elif event == "crash":
            self.server.start(self.config)
        elif event == "drain":
            self.drained = self.idle
        elif event in ("look", "lost look"):
            self.look(lost=event == "lost look")
        elif event == "read":
            self.server.read(self.config)
        else:
            self.server.work()


@settings(max_examples=EXAMPLES, deadline=None)
@given(wishes(), EVENTS)
def test_after_any_history_no_label_is_refused_and_the_folder_converges(first: dict[str, int], events: list[object]) -> None:
    simulation = Simulation(first)
    server = simulation.server
    for event in events:
        if event == "read":  # a version can fail between the look and the read; the next look repairs that
            stale = any(server.states.get(number) != AVAILABLE for number in simulation.config.labels.values())
            count = len(server.refused)
            simulation.event(event)
            assert stale or len(server.refused) == count
        else:
            simulation.event(event)
    assert server.cut_off == []
    server.broken = set()
    for _ in range(4):
        for event in ("look", "read", "work", "look", "drain"):
            simulation.event(event)
    assert simulation.config == Config(frozenset(simulation.wanted.values()), simulation.wanted)
    assert server.labels == simulation.wanted and simulation.copies == frozenset(simulation.wanted.values())
    assert {number for number, state in server.states.items() if state == AVAILABLE} == simulation.config.versions


@settings(max_examples=EXAMPLES, deadline=None)
@given(wishes(), EVENTS)
def test_without_a_crash_the_champion_is_never_unloaded_before_the_next_one_serves(first: dict[str, int], events: list[object]) -> None:
    simulation = Simulation(first)
    server = simulation.server
    for event in ("work", "look", "read"):
        simulation.event(event)
    assert server.labels["stable"] == first["stable"]
    for event in events:
        if event != "crash":
            simulation.event(event)
        assert server.refused == [] and server.cut_off == []
        assert server.states[server.labels["stable"]] == AVAILABLE
