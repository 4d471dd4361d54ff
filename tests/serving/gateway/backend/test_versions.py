import asyncio
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.copying import copy, open_files
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import State
from robo_poet.registry.storage.bucket import Unavailable
from robo_poet.registry.trust.trust import Trust
from robo_poet.registry.versions.version import Version
from serving.gateway.backend.versions import LOAD_SECONDS, ServedVersions
from serving.refusal import Refused


class Server:
    """A model server with these loaded versions. `numbers` is None if it cannot be reached."""

    def __init__(self, *numbers: int) -> None:
        self.numbers: set[int] | None = set(numbers)
        self.calls = 0

    async def available(self) -> frozenset[int]:
        self.calls += 1
        await asyncio.sleep(0)
        if self.numbers is None:
            raise Refused(503, "model_unavailable", "gone")
        return frozenset(self.numbers)


@pytest.fixture
def registry(make_registry: Any, tmp_path: Path) -> Registry:
    """A registry with champion 1 and the candidates 2 and 3."""
    registry: Registry = make_registry(tmp_path / "registry", 3)
    return registry


def update(versions: ServedVersions) -> None:
    asyncio.run(versions.update())


def test_the_champion_is_served_with_its_own_tokenizer(registry: Registry) -> None:
    callbacks: list[Any] = []
    versions = ServedVersions(registry, Server(1), seen=callbacks.append, loaded=lambda number, good: callbacks.append((number, good)))
    with pytest.raises(Refused, match="no version"):
        versions.choose("ada")
    update(versions)
    chosen = versions.choose("ada")
    assert (chosen.served.number, chosen.arm, chosen.served.tokenizer.size) == (1, "champion", chosen.served.manifest["size"])
    assert callbacks == [(1, True), [(1, chosen.served.digest, "champion")]]
    assert (versions.health.ready, versions.health.champion, versions.health.troubles) == (True, 1, ())


def test_a_new_champion_serves_once_the_model_server_has_loaded_it(registry: Registry) -> None:
    server = Server(1)
    versions = ServedVersions(registry, server)
    update(versions)
    registry.start_canary(2, who="ada", why="try")
    registry.promote(2, who="ada", why="better")
    update(versions)
    assert versions.choose("ada").served.number == 1
    assert versions.health.troubles == ("version 2 is not loaded by the model server",) and versions.health.ready
    server.numbers = {1, 2}
    update(versions)
    assert versions.choose("ada").served.number == 2 and versions.health.troubles == ()
    assert versions.find(1) is None  # the former champion is unloaded


def test_a_canary_without_a_share_is_reported_and_serves_no_user(registry: Registry) -> None:
    registry.start_canary(2, who="ada", why="try")
    versions = ServedVersions(registry, Server(1, 2))
    update(versions)
    assert (versions.health.canary, versions.health.share) == (2, 0)
    assert {versions.choose(f"user {n}").arm for n in range(50)} == {"champion"}


def test_a_canary_with_a_share_serves_some_users(registry: Registry) -> None:
    registry.start_canary(2, who="ada", why="try")
    registry.set_share(2, 0, 0.5, who="ada", why="first step")
    versions = ServedVersions(registry, Server(1, 2))
    update(versions)
    assert {versions.choose(f"user {n}").served.number for n in range(50)} == {1, 2}
    assert (versions.health.canary, versions.health.share) == (2, 0.5)


USERS = [f"user {number}" for number in range(200)]


def division(versions: ServedVersions) -> dict[str, tuple[str, int, str, int]]:
    """Return for each user the judged arm, the step, the arm that serves, and its version."""
    chosen = {user: versions.choose(user) for user in USERS}
    return {user: (one.assigned.arm, one.assigned.step, one.arm, one.served.number) for user, one in chosen.items()}


def test_users_change_their_version_only_by_a_decision(registry: Registry) -> None:
    """The ramp of version 2, its promotion with a watch, the end of the watch, and a roll-back."""
    versions = ServedVersions(registry, Server(1, 2))
    registry.start_canary(2, who="ada", why="try")
    update(versions)
    assert set(division(versions).values()) == {("champion", -1, "champion", 1)}
    before: set[str] = set()
    for step, share in enumerate((0.05, 0.25, 0.5, 0.95)):
        registry.set_share(2, step, share, who="ada", why="next")
        update(versions)
        now = division(versions)
        on_canary = {user for user, (arm, *_) in now.items() if arm == "canary"}
        assert before <= on_canary and abs(len(on_canary) / len(USERS) - share) < 0.1
        assert set(now.values()) == {("canary", step, "canary", 2), ("champion", step, "champion", 1)}
        before = on_canary
    experiment = versions.choose("ada").assigned.experiment
    registry.promote(2, who="ada", why="better", watch_share=0.05)
    update(versions)
    now = division(versions)
    assert {user for user, (arm, *_) in now.items() if arm == "canary"} == before  # nobody moved
    assert set(now.values()) == {("canary", -2, "champion", 2), ("champion", -2, "former", 1)}
    assert versions.choose("ada").assigned.experiment == experiment
    health = versions.health
    assert (health.champion, health.canary, health.former, health.share, health.troubles) == (2, None, 1, 0, ())
    registry.end_watch(2, who="ada", why="enough")
    update(versions)
    assert set(division(versions).values()) == {("champion", -1, "champion", 2)} and versions.health.former is None
    assert versions.choose("ada").assigned.experiment == ""


def test_a_promotion_that_is_demoted_gives_all_users_to_the_former_champion(registry: Registry) -> None:
    versions = ServedVersions(registry, Server(1, 2))
    registry.start_canary(2, who="ada", why="try")
    registry.promote(2, who="ada", why="better", watch_share=0.1)
    update(versions)
    assert {version for *_, version in division(versions).values()} == {1, 2}
    registry.promote(1, who="ada", why="harm")
    update(versions)
    assert set(division(versions).values()) == {("champion", -1, "champion", 1)}


def test_a_canary_gets_its_first_users_when_it_is_loaded(registry: Registry) -> None:
    """Users of a canary that is still being loaded would be judged as its users: the judge would say that it cannot be called."""
    server, now = Server(1), [0.0]
    versions = ServedVersions(registry, server, clock=lambda: now[0])
    registry.start_canary(2, who="ada", why="try")
    registry.set_share(2, 0, 0.5, who="ada", why="first step")
    for now[0] in (0.0, LOAD_SECONDS - 1):
        update(versions)
        assert set(division(versions).values()) == {("champion", -1, "champion", 1)}
        assert versions.health.troubles == ("canary 2 is not loaded by the model server",)
    server.numbers = {1, 2}
    update(versions)
    assert set(division(versions).values()) == {("canary", 0, "canary", 2), ("champion", 0, "champion", 1)}
    server.numbers = {1}  # a later loss is seen by the judge
    update(versions)
    assert set(division(versions).values()) == {("canary", 0, "champion", 1), ("champion", 0, "champion", 1)}


def test_users_of_a_canary_that_is_never_loaded_are_served_by_the_champion_and_judged_as_the_canary(registry: Registry) -> None:
    server, now = Server(1), [0.0]
    versions = ServedVersions(registry, server, clock=lambda: now[0])
    registry.start_canary(2, who="ada", why="try")
    registry.set_share(2, 0, 0.5, who="ada", why="first step")
    update(versions)
    now[0] = LOAD_SECONDS
    update(versions)
    first = division(versions)
    assert set(first.values()) == {("canary", 0, "champion", 1), ("champion", 0, "champion", 1)}
    assert versions.health.troubles == ("canary 2 is not loaded by the model server",) and versions.health.ready
    assert (versions.health.canary, versions.health.share) == (None, 0)
    server.numbers = {1, 2}
    update(versions)
    assert {user: arm for user, (arm, *_) in division(versions).items()} == {user: arm for user, (arm, *_) in first.items()}
    assert set(division(versions).values()) == {("canary", 0, "canary", 2), ("champion", 0, "champion", 1)}


def test_a_second_start_of_a_canary_assigns_the_users_again(registry: Registry) -> None:
    versions, assigned = ServedVersions(registry, Server(1, 2, 3)), []
    for number in (2, 3):
        registry.start_canary(number, who="ada", why="try")
        registry.set_share(number, 0, 0.5, who="ada", why="first step")
        update(versions)
        assigned.append({user for user, (arm, *_) in division(versions).items() if arm == "canary"})
    assert assigned[0] != assigned[1]


def test_the_loaded_version_stays_in_service_without_a_registry(registry: Registry) -> None:
    versions = ServedVersions(registry, Server(1))
    update(versions)
    shutil.rmtree(registry.root)
    update(versions)
    assert versions.choose("ada").served.number == 1
    assert versions.health.ready and "the registry cannot be read" in versions.health.troubles[0]


def test_the_loaded_version_stays_in_service_with_a_damaged_registry(registry: Registry) -> None:
    versions = ServedVersions(registry, Server(1))
    update(versions)
    entry = max((registry.folder / "log").iterdir())
    shutil.rmtree(entry) if entry.is_dir() else entry.write_text("{}")
    (registry.folder / "log" / entry.name).mkdir(exist_ok=True) if not entry.exists() else None
    for path in (registry.folder / "log").rglob("*.json"):
        path.chmod(0o644)
        path.write_text("{}")
    with pytest.raises(BadInput):
        registry.champion()
    update(versions)
    assert versions.choose("ada").served.number == 1
    assert versions.health.ready and "cannot be read" in versions.health.troubles[0]


@pytest.mark.parametrize("name", ["tokenizer/tokenizer.json", "model/manifest.json"])
def test_a_version_with_a_changed_file_is_not_served(registry: Registry, name: str) -> None:
    versions = ServedVersions(registry, Server(1, 2))
    update(versions)
    registry.start_canary(2, who="ada", why="try")
    registry.promote(2, who="ada", why="better")
    path = registry.version(2).folder / name
    path.chmod(0o644)
    path.write_text(path.read_text() + " ")
    update(versions)
    assert versions.choose("ada").served.number == 1
    assert "version 2 cannot be read" in versions.health.troubles


def test_an_unreachable_model_server_is_reported(registry: Registry) -> None:
    server = Server(1)
    versions = ServedVersions(registry, server)
    server.numbers = None
    update(versions)
    assert not versions.health.ready and versions.health.troubles == ("the model server cannot be reached",)
    server.numbers = {1}
    update(versions)
    server.numbers = None
    update(versions)
    assert not versions.health.ready
    assert versions.choose("ada").served.number == 1  # its call is then a 503 error
    server.numbers = set()
    update(versions)
    with pytest.raises(Refused):
        versions.choose("ada")


def test_a_lost_model_server_is_reported_before_the_next_look_and_its_return_too(registry: Registry) -> None:
    server = Server(1)
    versions = ServedVersions(registry, server)

    async def lose_and_find() -> None:
        await versions.update()
        watching = asyncio.create_task(versions.watch(60))
        await asyncio.sleep(0)
        server.numbers = None
        versions.model_server_lost()
        assert not versions.health.ready and versions.health.troubles == ("the model server cannot be reached",)
        for _ in range(1000):  # calls that fail meanwhile cause no further updates
            versions.model_server_lost()
        await asyncio.sleep(1)
        assert not versions.health.ready and 2 <= server.calls <= 8
        server.numbers = {1}
        async with asyncio.timeout(5):
            while not versions.health.ready:
                await asyncio.sleep(0.01)
        assert versions.health.troubles == ()
        watching.cancel()

    asyncio.run(lose_and_find())


class HangingRegistry:
    """A registry whose next look does not end before `answer` is set."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self.hangs, self.looks = registry, False, 0
        self.answer = threading.Event()

    def state(self) -> State:
        self.looks += 1
        state = self._registry.state()
        if self.hangs:
            assert self.answer.wait(60)
        return state

    def version(self, number: int) -> Version:
        return self._registry.version(number)


def test_the_model_server_is_asked_while_the_registry_hangs(registry: Registry) -> None:
    server, hanging = Server(1, 2), HangingRegistry(registry)
    versions = ServedVersions(hanging, server)

    async def hang() -> None:
        await versions.update()
        registry.start_canary(2, who="ada", why="try")
        registry.promote(2, who="ada", why="better")
        hanging.hangs = True
        await versions.update(0.01)
        assert versions.health.ready and versions.health.champion == 1, "the state before"
        assert versions.health.troubles == ("the registry does not answer; the loaded versions stay in service",)
        server.numbers = None
        await versions.update(60)
        assert not versions.health.ready and "the model server cannot be reached" in versions.health.troubles
        server.numbers = {1, 2}
        await versions.update(60)
        assert versions.health.ready and hanging.looks == 2, "no second look begins before the first one ends"
        hanging.answer.set()
        await versions.update()
        assert versions.health.champion == 2 and versions.health.troubles == () and versions.choose("ada").served.number == 2

    asyncio.run(hang())


def test_concurrent_calls_share_an_update(registry: Registry) -> None:
    server = Server(1)
    versions = ServedVersions(registry, server)

    async def many() -> None:
        await asyncio.gather(*(versions.update() for _ in range(20)))

    asyncio.run(many())
    assert server.calls <= 2


def test_an_empty_registry_is_reported(tmp_path: Path) -> None:
    versions = ServedVersions(Registry(tmp_path / "none", "shakespeare"), Server(1))
    update(versions)
    assert not versions.health.ready and versions.health.troubles == ("the registry has no champion yet",)


def test_the_champion_of_a_bucket_stays_in_service_while_the_bucket_cannot_be_read(
    registry: Registry, gcs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gcs.create_bucket("served")
    copy(open_files(str(registry.root)), open_files("gs://served/registry"), registry.model, Trust())
    remote = Registry("gs://served/registry", registry.model)
    versions = ServedVersions(remote, Server(1))
    update(versions)
    assert versions.health.ready and versions.choose("ada").served.number == 1 and versions.health.troubles == ()
    fetched = sorted(path.name for path in remote.version(1).folder.iterdir())
    assert fetched == ["manifest.json", "model", "tokenizer"]  # what a gateway needs: not the weights
    assert [path.name for path in (remote.version(1).folder / "model").iterdir()] == ["manifest.json"]

    def unavailable(*_: object) -> None:
        raise Unavailable("you have no permission for this bucket", where="gs://served/registry")

    with monkeypatch.context() as patch:
        patch.setattr("robo_poet.registry.storage.bucket.BucketFiles.listed", unavailable)
        update(versions)
    assert versions.health.ready and versions.choose("ada").served.number == 1
    assert versions.health.troubles == ("the registry cannot be read; the loaded versions stay in service",)
    assert "gs://served/registry: you have no permission for this bucket" in caplog.text
    update(versions)
    assert versions.health.troubles == ()
