import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.log.entry import Conflict, Corrupt, IllegalMove, OtherSource
from robo_poet.registry.log.log import FolderLog
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.rollout import Watch
from robo_poet.registry.versions.version import Version

Register = Callable[..., Version]
SAID = {"who": "ada", "why": "test"}


def stages(registry: Registry) -> list[str]:
    return [str(version.stage) for version in registry.versions()]


def test_three_versions_pass_through_all_stages(registry: Registry, add: Register) -> None:
    one, two, three = (add(registry, seed) for seed in (1, 2, 3))
    assert [one.number, two.number, three.number] == [1, 2, 3]
    assert registry.promote(1, **SAID).stage == "champion"
    assert registry.start_canary(2, **SAID).stage == "canary"
    assert (registry.champion(), registry.canary()) == (registry.version(1), registry.version(2))
    registry.promote(2, **SAID)
    assert stages(registry) == ["archived", "champion", "candidate"]
    registry.start_canary(3, **SAID)
    registry.reject(3, who="judge", why="slow")
    registry.promote(1, who="bob", why="roll back")
    registry.archive(1, **SAID)
    assert stages(registry) == ["archived", "archived", "rejected"]
    assert registry.version(3).why == "slow"
    assert [entry.statement.action for entry in registry.log()][3:5] == ["promote", "start_canary"]
    assert [version.number for version in registry.verify()] == [1, 2, 3]
    assert [version.number for version in registry.verify(2)] == [2]


def test_the_manifest_describes_the_version(registry: Registry, add: Register) -> None:
    version = add(registry, metrics={"perplexity": 40.0, "bleu": float("nan")})
    manifest = version.manifest()
    assert registry.registered_on(version.number) == registry.log()[0].statement.time[:10]
    assert (manifest.metrics, manifest.lineage) == ({"perplexity": 40.0, "bleu": None}, {"seed": 1})
    assert (version.folder / "model" / "weights").read_text() == "1"


def test_the_same_content_is_the_same_version(registry: Registry, add: Register) -> None:
    first = add(registry)
    registry.promote(1, **SAID)
    again = add(registry, who="bob", why="again")
    assert (again.number, again.digest, again.stage) == (1, first.digest, "champion")
    assert len(registry.log()) == 2
    assert add(registry, metrics={"perplexity": 41.0}).number == 2


@pytest.mark.parametrize("change", [{"stage": "champion"}, {"stage": "rejected", "why": ""}, {"who": " "}])
def test_a_registration_that_is_refused_leaves_nothing(registry: Registry, add: Register, change: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        add(registry, **change)
    assert not registry.root.exists()


def meanwhile(monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> None:
    """Let somebody else act between our look and our append, once for each of `acts`."""
    real, waiting = FolderLog.create, list(acts)

    def create(self: FolderLog, index: int, data: bytes) -> bool:
        if waiting:
            waiting.pop(0)()
        return real(self, index, data)

    monkeypatch.setattr(FolderLog, "create", create)


def test_a_registration_that_loses_its_number_takes_the_next(registry: Registry, add: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, lambda: add(registry, 2), lambda: None, lambda: add(registry, 3))
    assert add(registry, 1).number == 3
    assert len(registry.verify()) == 3


def test_concurrent_registrations_of_the_same_content_give_one_version(
    registry: Registry, add: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, lambda: add(registry))
    assert add(registry).number == 1
    assert len(registry.log()) == 1


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda r: r.promote(2, **SAID), lambda r: r.promote(2, **SAID)),
        (lambda r: r.promote(2, **SAID), lambda r: r.reject(2, **SAID)),
        (lambda r: r.promote(2, **SAID), lambda r: r.archive(1, **SAID)),
        (lambda r: r.promote(2, **SAID), lambda r: r.start_canary(3, **SAID)),
        (lambda r: r.start_canary(4, **SAID), lambda r: r.start_canary(3, **SAID)),
        (lambda r: r.start_canary(4, **SAID), lambda r: r.promote(2, **SAID)),
        (lambda r: r.archive(4, **SAID), lambda r: r.start_canary(4, **SAID)),
    ],
)
def test_of_two_conflicting_moves_one_succeeds_and_one_is_a_conflict(
    registry: Registry, add: Register, monkeypatch: pytest.MonkeyPatch, ours: Callable[[Registry], Any], theirs: Callable[[Registry], Any]
) -> None:
    for seed in (1, 2, 3, 4):
        add(registry, seed)
    registry.promote(1, **SAID)
    registry.start_canary(2, **SAID)
    meanwhile(monkeypatch, lambda: theirs(registry))
    with pytest.raises(Conflict, match=r"another change came before .* of version .; read the log of the registry and decide again"):
        ours(registry)
    assert len(registry.log()) == 7
    registry.verify()


def test_a_move_succeeds_if_its_basis_has_not_changed(registry: Registry, add: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    add(registry, 1)
    add(registry, 2)
    meanwhile(monkeypatch, lambda: registry.promote(1, **SAID))
    assert registry.archive(2, **SAID).stage == "archived"
    meanwhile(monkeypatch, lambda: add(registry, 3))
    registry.archive(1, **SAID)
    assert stages(registry) == ["archived", "archived", "candidate"]


def test_a_store_that_never_creates_an_entry_ends_in_a_conflict(registry: Registry, add: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    add(registry)
    monkeypatch.setattr("robo_poet.registry.registry.ATTEMPTS", 3)
    monkeypatch.setattr(FolderLog, "create", lambda *_: False)
    with pytest.raises(Conflict, match="took the next log entry 3 times"):
        registry.promote(1, **SAID)


def contend(root: Path, number: int, start: Any, results: Any) -> None:
    start.wait()
    try:
        Registry(root, "poems").promote(number, who=str(number), why="race")
        results.put((number, "won"))
    except (Conflict, IllegalMove) as error:
        results.put((number, str(error)))


def test_of_four_concurrent_promotions_one_succeeds(registry: Registry, add: Register) -> None:
    for seed in (1, 2, 3, 4):
        add(registry, seed)
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(4), context.SimpleQueue()
    processes = [context.Process(target=contend, args=(registry.root, number, start, results)) for number in (1, 2, 3, 4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    outcome = dict(results.get() for _ in processes)
    winners = [number for number, text in outcome.items() if text == "won"]
    champion = registry.champion()
    assert champion is not None
    assert winners == [champion.number]
    assert stages(registry).count("candidate") == 3


def test_a_file_is_no_registry(tmp_path: Path) -> None:
    (tmp_path / "registry").write_text("")
    with pytest.raises(BadInput, match="the log of the registry cannot be read"):
        Registry(tmp_path / "registry", "poems").versions()


def test_leaves_only_log_versions_and_attestations(registry: Registry, add: Register) -> None:
    version = add(registry)
    assert sorted(path.name for path in registry.folder.iterdir()) == ["attestations", "log", "versions"]
    assert [path.name for path in (registry.folder / "versions").iterdir()] == [version.folder.name]


def test_files_and_names_are_on_the_disk_before_the_log_speaks_of_them(
    registry: Registry, add: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    before: list[str] = []
    fsync, link = os.fsync, os.link

    def recorded_fsync(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    def recorded_link(source: str, target: str) -> None:
        before.extend(synced)
        link(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "link", recorded_link)
    add(registry)
    assert {Path(path).name for path in before} >= {"weights", "model", "manifest.json", "versions", "registry"}
    assert Path(before[-1]).name.startswith(".00000001.json.")
    assert synced[-1] == str(registry.folder / "log")


def test_the_first_corpus_is_accepted_and_another_only_on_confirmation(registry: Registry, add: Register) -> None:
    registry.check_source("/poems", same_model=False)
    registry.add_source("/poems", who="ada", why="first", same_model=False)
    registry.add_source("/poems", who="ada", why="again", same_model=False)
    assert len(registry.log()) == 1
    with pytest.raises(OtherSource, match=r"model poems: this model has been trained on /poems, not on /letters; .*MODEL=NAME"):
        registry.add_source("/letters", who="ada", why="second", same_model=False)
    assert registry.sources() == ("/poems",)
    registry.add_source("/letters", who="ada", why="second", same_model=True)
    assert registry.sources() == ("/poems", "/letters")
    assert add(registry).number == 1


def test_models_of_one_registry_do_not_meet(registry: Registry, add: Register) -> None:
    other = Registry(registry.root, "letters")
    first, second = add(registry), add(other)
    assert (first.name, second.name) == ("poems/1", "letters/1")
    assert first.digest != second.digest  # the same files: the name is part of the version
    registry.promote(1, who="ada", why="first")
    assert other.champion() is None


def test_purging_frees_the_disk_and_keeps_the_history(registry: Registry, add: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, purged = add(registry, 1), add(registry, 2, stage="rejected")
    with monkeypatch.context() as patched:  # killed after the log entry, before the files are gone
        patched.setattr(
            "robo_poet.registry.versions.version.shutil.rmtree", lambda *args, **kwargs: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            registry.purge(2, who="ada", why="disk")
    assert registry.purge(2, who="ada", why="disk") > 0
    assert [path.name for path in (registry.folder / "versions").iterdir()] == [kept.folder.name]
    assert (registry.verify(), registry.unregistered_folders()) == ([registry.version(1)], [])
    with pytest.raises(BadInput, match="poems/2: the files were purged"):
        registry.version(2).manifest()
    assert [entry.statement.action for entry in registry.log()] == ["register", "register", "purge"]
    assert registry.purge(2, who="ada", why="again") == 0
    again = add(registry, 2, stage="rejected")
    assert (again.number, again.digest) == (3, purged.digest)
    again.verify()


def test_a_file_of_a_version_is_read_if_it_is_what_was_registered(registry: Registry, add: Register) -> None:
    version = add(registry)
    assert version.read("model/weights") == b"1"
    with pytest.raises(BadInput, match="the version has no file model"):
        version.read("model")
    weights = version.folder / "model" / "weights"
    weights.chmod(0o644)
    weights.write_text("2")
    with pytest.raises(Corrupt, match="the file was changed after the registration"):
        version.read("model/weights")
    (version.folder / "model").chmod(0o755)
    weights.unlink()
    with pytest.raises(Corrupt, match="the file is missing"):
        version.read("model/weights")


def test_a_canary_gets_users_by_steps_and_the_former_champion_keeps_some(registry: Registry, add: Register) -> None:
    evidence = "5e" * 32
    for seed in (1, 2):
        add(registry, seed)
    registry.promote(1, who="ada", why="first")
    registry.start_canary(2, who="ada", why="try it")
    registry.set_share(2, 0, 0.05, who="controller", why="no harm in 200 users", evidence=evidence)
    registry.hold_canary(2, who="ada", why="a release party")
    with pytest.raises(IllegalMove, match="held: a release party"):
        registry.set_share(2, 1, 0.25, who="controller", why="no harm")
    registry.resume_canary(2, who="ada", why="it is over")
    state = registry.state()
    assert (state.canary, state.canary_step, state.canary_share, state.canary_since) == (2, 0, 0.05, 4)
    registry.promote(2, who="controller", why="no guardrail harmed", watch_share=0.05, evidence=evidence)
    assert registry.log()[-1].statement.details == {"watch_share": 0.05, "evidence": evidence}
    assert registry.state().watch == Watch(1, 0.05, 8, 4)
    registry.end_watch(2, who="controller", why="no harm in a day")
    assert registry.state().watch is None
    with pytest.raises(IllegalMove, match="version 2 is champion"):
        registry.reject(2, who="controller", why="too late", evidence=evidence)


def test_a_decision_based_on_an_old_state_is_a_conflict(registry: Registry, add: Register) -> None:
    for seed in (1, 2):
        add(registry, seed)
    registry.promote(1, who="ada", why="first")
    registry.start_canary(2, who="ada", why="try it")
    seen = registry.state()
    add(registry, 3)  # the ramp does not depend on it
    registry.set_share(2, 0, 0.05, who="controller", why="no harm", seen=seen)
    for move in (registry.hold_canary, registry.promote, registry.reject):
        with pytest.raises(Conflict, match="another change came before .* of version 2"):
            move(2, who="second controller", why="by the same evidence", seen=seen)
    with pytest.raises(Conflict):
        registry.set_share(2, 1, 0.25, who="second controller", why="no harm", seen=seen)
    assert registry.state().canary_step == 0


def race(registry: Registry, rounds: int, start: Any, results: Any) -> None:
    """In each round, make the same move as all others, based on the same state."""
    mine = Registry(registry.root, registry.model)
    for number in range(rounds):
        seen = mine.state()
        start.wait(60)
        try:
            mine.set_share(2, number, (number + 1) / (rounds + 1), who=str(os.getpid()), why=f"round {number}", seen=seen)
            results.put(number)
        except (Conflict, IllegalMove):
            pass
        start.wait(60)


@pytest.mark.parametrize("rounds", [15, pytest.param(1000, marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_of_racing_moves_each_has_one_winner_and_the_log_is_one_chain(registry: Registry, add: Register, rounds: int) -> None:
    for seed in (1, 2):
        add(registry, seed)
    registry.promote(1, who="ada", why="first")
    registry.start_canary(2, who="ada", why="try it")
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(4), context.Queue()
    processes = [context.Process(target=race, args=(registry, rounds, start, results)) for _ in range(4)]
    for process in processes:
        process.start()
    wins = [results.get(timeout=60) for _ in range(rounds)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert wins == list(range(rounds)) and results.empty()
    assert len(registry.signed_log.read(again=True)) == 4 + rounds
    assert registry.state().canary_step == rounds - 1
