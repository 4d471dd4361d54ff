"""A process that is killed at any of its file operations leaves a registry that reads, and that the next process can finish (REG-2).

The kill is real: a forked child leaves by `os._exit` from an audit hook, at its k-th operation on a file of the registry, for k = 1, 2, …
until it lives through. The same again with a disk that is full at the k-th operation and a process that goes on from there.
"""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version

Register = Callable[..., Version]
EVENTS = ("open", "os.link", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.scandir", "os.listdir")
KILLED = 9


def run_killed_at(step: int, root: Path, act: Callable[[], object], disk_full: bool) -> bool:
    """Do `act` in a child that dies before operation `step`, or has it fail; whether it died or could not do its work."""
    child = os.fork()
    if child == 0:
        left = step

        def hook(event: str, args: tuple[object, ...]) -> None:
            nonlocal left
            if event in EVENTS and any(isinstance(arg, str | Path) and str(arg).startswith(str(root)) for arg in args):
                left -= 1
                if left == 0 and disk_full:
                    raise OSError(errno.ENOSPC, "full")
                if left == 0:
                    os._exit(KILLED)

        try:
            sys.addaudithook(hook)
            act()
            os._exit(0)
        except (OSError, BadInput):
            os._exit(KILLED if disk_full else 1)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def killed_everywhere(
    tmp_path: Path, disk_full: bool, prepare: Callable[[Registry], object], act: Callable[[Registry], object]
) -> Iterator[Registry]:
    """A fresh registry for each possible moment of death, with `act` killed at that moment."""
    lived = 0
    for step in range(1, 1000):
        registry = Registry(tmp_path / str(step) / "registry", "poems")
        prepare(registry)
        died = run_killed_at(step, registry.root, partial(act, registry), disk_full)
        yield registry
        lived = 0 if died else lived + 1
        if lived > 9:  # a full disk does not matter to every operation, such as a clean-up
            assert step > 20
            return
    pytest.fail("lives after 1000 operations")


@pytest.fixture(params=[False, True], ids=["killed", "disk full"])
def disk_full(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_killed_registration_is_finished_by_the_next(tmp_path: Path, add: Register, disk_full: bool) -> None:
    counts = []
    for registry in killed_everywhere(tmp_path, disk_full, lambda r: add(r, 1), lambda r: add(r, 2)):
        before = len(registry.verify())
        counts.append(before)
        assert add(registry, 2).number == 2
        assert [version.number for version in registry.verify()] == [1, 2]
        assert len(registry.log()) == 2
        assert len([path for path in (registry.folder / "versions").iterdir() if not path.name.startswith(".")]) == 2
    assert disk_full or counts == sorted(counts)  # nothing, and from one operation on everything
    assert {1, 2} == set(counts)


def test_what_a_killed_registration_left_is_removed_after_a_day(registry: Registry, add: Register) -> None:
    add(registry, 1)
    versions, steps = registry.folder / "versions", count(1)
    while not (left := list(versions.glob(".*/*"))):  # until a kill comes while the files are copied
        for empty in versions.glob(".*"):
            empty.rmdir()
        assert run_killed_at(next(steps), registry.root, lambda: add(registry, 2), disk_full=False)
    writing = left[0].parent
    add(registry, 3)
    assert left[0].exists(), "nobody knows yet that its writer was killed"
    age(writing, days=2)
    (writing / "model" / "new").write_text("another process writes")
    add(registry, 4)
    assert left[0].exists()
    age(writing, days=2)
    add(registry, 2)
    assert not list(versions.glob(".*")) and len(registry.verify()) == 4


def age(folder: Path, days: float) -> None:
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (time.time() - 86_400 * days,) * 2)


def test_a_killed_first_registration_leaves_an_empty_registry(tmp_path: Path, add: Register, disk_full: bool) -> None:
    for registry in killed_everywhere(tmp_path, disk_full, lambda r: None, lambda r: add(r, 1)):
        assert len(registry.verify()) in (0, 1)
        assert add(registry, 1).number == 1
        assert len(registry.log()) == 1


def test_a_killed_promotion_happened_or_did_not(tmp_path: Path, add: Register, disk_full: bool) -> None:
    def prepare(registry: Registry) -> None:
        add(registry, 1)
        add(registry, 2)
        registry.promote(1, who="ada", why="test")
        registry.start_canary(2, who="ada", why="test")

    outcomes = set()
    for registry in killed_everywhere(tmp_path, disk_full, prepare, lambda r: r.promote(2, who="ada", why="test")):
        stages = [str(version.stage) for version in registry.verify()]
        outcomes.add(tuple(stages))
        if stages[1] == "canary":
            registry.promote(2, who="bob", why="again")
        assert [str(version.stage) for version in registry.versions()] == ["archived", "champion"]
    assert outcomes == {("champion", "canary"), ("archived", "champion")}
