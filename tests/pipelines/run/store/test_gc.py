"""What may go, and what never does."""

import fcntl
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.run.store.gc import Removal, apply_gc, plan_gc
from robo_poet.errors import BadInput

LATER = time.time() + 7200
MONTHS = time.time() + 90 * 86400


@pytest.fixture
def ir(house: Any, toys: SimpleNamespace) -> Path:
    def pipeline(word: str) -> None:
        made = toys.make(script='head -c 100000 /dev/zero > "$3"')
        toys.use(script='printf %s "$3" > "$2"', file=made.outputs["file"], given=word)

    path: Path = house.compile(pipeline)
    return path


def planned(house: Any, **more: Any) -> dict[str, str]:
    return {f"{one.path.parent.name}/{one.path.name}": one.why for one in plan_gc(house.store, house.runs, **more)}


def test_entries_that_no_recent_run_used(house: Any, ir: Path) -> None:
    old, new = house.run(ir, word="a"), house.run(ir, word="b")
    assert planned(house) == {}, "what was used within the hour stays"
    assert "done/" + old.tasks["use"].key not in planned(house, now=LATER)
    plan = planned(house, now=LATER, keep_runs=1)
    assert plan["done/" + old.tasks["use"].key] == "not used by the last 1 runs"
    assert "done/" + new.tasks["use"].key not in plan and "done/" + new.tasks["make"].key not in plan
    left = house.store / "work" / f"toy-{new.tasks['use'].key[:16]}"  # by a run that was killed between its commit and its clearing up
    left.mkdir()
    assert planned(house, now=LATER)[f"work/{left.name}"] == "working folder of a finished step"
    assert not (house.store / "work" / f"toy-{old.tasks['use'].key[:16]}").exists()
    removals = plan_gc(house.store, house.runs, now=LATER, keep_runs=1)
    assert [one.size for one in removals] == sorted((one.size for one in removals), reverse=True)
    assert apply_gc(removals, house.runs, store=house.store) == removals
    assert planned(house, now=LATER, keep_runs=1) == {}
    assert not list(house.store.rglob(".dropped-*"))
    assert [task.state for task in house.run(ir, word="b").tasks.values()] == ["cached", "cached"]
    assert [task.state for task in house.run(ir, word="a").tasks.values()] == ["cached", "ran"]


def test_old_runs_and_unfinished_work(house: Any, ir: Path, toys: SimpleNamespace) -> None:
    def broken() -> None:
        toys.shell(script="touch checkpoint; exit 1")

    runs = [house.run(broken), *(house.run(ir, word="a") for _ in range(3))]
    (house.store / "done" / ".dropped-x").mkdir()
    plan = planned(house, now=LATER, keep_runs=2)
    assert plan["done/.dropped-x"] == "left over from a killed run"
    assert not any(name.startswith("runs/") or "unfinished" in why for name, why in plan.items()), "young enough"
    plan = planned(house, now=MONTHS, keep_runs=2)
    assert {name for name in plan if name.startswith("runs/")} == {f"runs/{run.run_id}" for run in runs[:2]}
    assert plan[f"work/toy-{runs[0].tasks['shell'].key[:16]}"] == "unfinished step, not used for 90 days"
    (house.runs / "latest").unlink()
    (house.runs / "latest").symlink_to(runs[0].run_id)
    assert f"runs/{runs[0].run_id}" not in planned(house, now=MONTHS, keep_runs=1)


def test_runs_of_another_folder_keep_their_results_and_needed_ones_stay(house: Any, ir: Path) -> None:
    house.run(ir, word="a")
    house.runs = house.home / "drift-runs"
    watched = [house.run(ir, word=word) for word in ("b", "c", "d")]
    places, results = (house.home / "runs", house.runs), [f"done/{run.tasks['use'].key}" for run in watched]

    def names(**more: Any) -> set[str]:
        return {f"{one.path.parent.name}/{one.path.name}" for one in plan_gc(house.store, *places, now=MONTHS, keep_runs=1, **more)}

    assert {results[0], results[1], f"drift-runs/{watched[0].run_id}", f"drift-runs/{watched[1].run_id}"} <= names()
    kept = names(needed=[watched[0].folder])
    assert not {results[0], f"drift-runs/{watched[0].run_id}"} & kept and results[1] in kept
    assert not any(name.startswith("runs/") and not name.endswith("/logs") for name in kept), "the newest run of each folder stays"
    gone = apply_gc(plan_gc(house.store, *places, now=MONTHS, keep_runs=1), *places, store=house.store)
    assert watched[1].folder in {one.path for one in gone} and watched[2].folder.exists()


def test_folders_in_use_are_kept(house: Any, ir: Path) -> None:
    old = house.run(ir, word="a")
    house.run(ir, word="b")
    for task in ("use", "make"):
        (house.store / "work" / f"toy-{old.tasks[task].key[:16]}").mkdir()
    plan = plan_gc(house.store, house.runs, now=MONTHS, keep_runs=1)
    entry = house.store / "done" / old.tasks["use"].key
    working_folder = next(one.path for one in plan if one.path.parent.name == "work" and old.tasks["use"].key[:16] in one.path.name)
    assert {entry, old.folder} <= {one.path for one in plan}
    handles = [os.open(path, os.O_RDONLY) for path in (working_folder, old.folder)]
    for handle in handles:
        fcntl.flock(handle, fcntl.LOCK_EX)
    house.run(ir, word="a")  # uses the entry after the plan was made
    gone = {one.path for one in apply_gc(plan, house.runs, store=house.store)}
    for handle in handles:
        os.close(handle)
    assert gone and not gone & {entry, working_folder, old.folder}
    assert entry.exists() and working_folder.exists() and old.folder.exists()


def test_folders_outside_the_store_are_never_removed(house: Any, ir: Path) -> None:
    house.run(ir, word="a")
    outside = house.home / "precious"
    outside.mkdir()
    (house.store / "done" / "link").symlink_to(outside)
    assert planned(house, now=MONTHS, keep_runs=0).get("done/link") is None
    for path in (outside, house.store / "done" / "link", house.store / "done" / ".." / ".." / "precious"):
        with pytest.raises(BadInput, match="not a folder of this store"):
            apply_gc([Removal(path, 0, "", 0.0)], house.runs, store=house.store)
    assert outside.exists()
    shutil.rmtree(house.store)
    assert planned(house, now=LATER) == {}
