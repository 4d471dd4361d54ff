"""The content-addressed store through compiled IR: what is a cache hit, and what a damaged entry does.

Covers: entry.
"""

import json
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kfp import dsl

from pipelines.run.execution.executor import run_pipeline
from pipelines.run.explain import explain
from pipelines.run.store.store import Store

MAKE = 'echo made >> "$TRACE"; printf %s "{}" > "$3"'
USE = 'echo used >> "$TRACE"; cat "$1" > "$2"'


def test_a_cache_hit_depends_on_content_not_on_names(house: Any, toys: SimpleNamespace) -> None:
    def pipeline(script: str) -> None:
        made = toys.make(script=script)
        toys.use(script=USE, file=made.outputs["file"])

    ir = house.compile(pipeline)
    first = house.run(ir, script=MAKE.format("same"))
    assert [task.state for task in first.tasks.values()] == ["ran", "ran"]
    assert [task.state for task in house.run(ir, script=MAKE.format("same")).tasks.values()] == ["cached", "cached"]
    # another program with the same product: its consumer need not run
    third = house.run(ir, script=MAKE.format("same") + "; true")
    assert [task.state for task in third.tasks.values()] == ["ran", "cached"]
    assert [task.state for task in house.run(ir, script=MAKE.format("other")).tasks.values()] == ["ran", "ran"]
    assert house.traced() == ["made", "used", "made", "made", "used"]
    assert third.tasks["use"].parameters["text"] == "same"


def test_a_new_image_tag_runs_again(house: Any) -> None:
    def once(tag: str) -> str:
        @dsl.container_component
        def step():  # type: ignore[no-untyped-def]
            return dsl.ContainerSpec(image=f"x/robo-poet/step:{tag}", command=["true"])

        def pipeline() -> None:
            step()

        return str(house.run(pipeline).tasks["step"].state)

    assert [once("1"), once("2"), once("1")] == ["ran", "ran", "cached"]


def test_steps_with_caching_off_always_run_and_keep_nothing_in_the_store(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        made = toys.make(script=MAKE.format("x")).set_caching_options(False)
        toys.use(script=USE, file=made.outputs["file"])

    ir = house.compile(pipeline)
    runs = [house.run(ir), house.run(ir)]
    assert [[task.state for task in run.tasks.values()] for run in runs] == [["ran", "ran"], ["ran", "cached"]]
    assert runs[1].tasks["make"].artifacts["file"].path.is_relative_to(runs[1].folder)
    assert not list((house.store / "work").glob(f"*-{runs[0].tasks['make'].key[:16]}"))


def test_a_damaged_entry_is_dropped_and_made_again(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        made = toys.make(script='mkdir "$3"; echo a > "$3/a"; echo b > "$3/b"')
        toys.use(script='cat "$1/a" > "$2"', file=made.outputs["file"])

    ir = house.compile(pipeline)
    made = house.run(ir).tasks["make"]

    def truncate() -> None:
        (made.artifacts["file"].path / "a").write_text("")

    def add() -> None:
        (made.artifacts["file"].path / "c").write_text("")

    def forget() -> None:
        (house.store / "done" / made.key / "entry.json").write_text('{"task": 1}')

    for harm in (truncate, add, forget):
        harm()
        result = house.run(ir)
        assert [task.state for task in result.tasks.values()] == ["ran", "cached"], harm
        assert "the stored result cannot be used, so the step runs again" in result.warnings[0]
        assert not list((house.store / "done").glob(".*"))
    assert house.run(ir).warnings == []  # the next hit is a sound one and does not repeat the old warning


def edit(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def replace(path: Path, make: Callable[[Path], Any]) -> None:
    """Put something else in the place of a file or folder, and keep the original next to the store."""
    path.rename(path.parents[4] / f"original-{path.name}-{len(list(path.parents[4].iterdir()))}")
    make(path)


HARMS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "parameter": (lambda e: edit(e / "entry.json", lambda d: d["parameters"].update(text="forged")), "entry.json was changed"),
    "digest": (lambda e: edit(e / "entry.json", lambda d: d["artifacts"]["file"].update(digest="0" * 64)), "entry.json was changed"),
    "warning": (lambda e: edit(e / "entry.json", lambda d: d.update(warnings=["forged"])), "entry.json was changed"),
    "no seal": (lambda e: edit(e / "entry.json", lambda d: d.pop("seal")), "entry.json was changed"),
    "seal": (lambda e: edit(e / "entry.json", lambda d: d.update(seal=5)), "entry.json was changed"),
    "a list": (lambda e: (e / "entry.json").write_text("[]"), "entry.json was changed"),
    "deep": (lambda e: (e / "entry.json").write_text("[" * 100_000), "entry.json cannot be read"),
    "binary": (lambda e: (e / "entry.json").write_bytes(b"\xff\0"), "entry.json cannot be read"),
    "large": (lambda e: (e / "entry.json").write_text(" " * 10_000_001), "larger than 10 MB"),
    "no entry": (lambda e: (e / "entry.json").unlink(), "No such file"),
    "entry is a pipe": (lambda e: ((e / "entry.json").unlink(), os.mkfifo(e / "entry.json")), "a named pipe"),
    "entry is a link": (lambda e: replace(e / "entry.json", lambda p: p.symlink_to("/etc/hostname")), "a link"),
    "byte": (lambda e: (e / "artifacts/file/a").write_text("b\n"), "the content of file differs"),
    "truncated": (lambda e: (e / "artifacts/file/a").write_text(""), "the content of file differs"),
    "missing file": (lambda e: (e / "artifacts/file/b").unlink(), "the content of file differs"),
    "missing artifact": (lambda e: shutil.rmtree(e / "artifacts/file"), "the content of file differs"),
    "extra file": (lambda e: (e / "artifacts/file/c").write_text("c"), "the content of file differs"),
    "extra artifact": (lambda e: (e / "artifacts/other").write_text("c"), "contains the file other, which the step did not write"),
    "pipe": (lambda e: os.mkfifo(e / "artifacts/file/pipe"), "file contains a named pipe"),
    "link to the same content": (
        lambda e: replace(e / "artifacts/file", lambda p: p.symlink_to(next(p.parents[4].glob("original-file*")))), "file contains a link"
    ),
    "file is a link": (
        lambda e: ((e / "artifacts/file/a").rename(e / "a"), (e / "artifacts/file/a").symlink_to("../../a")), "file contains a link"
    ),
    "result is a link": (lambda e: (e.rename(e.parents[2] / "moved"), e.symlink_to(e.parents[2] / "moved")), "is a link"),
}  # fmt: skip


def test_an_edited_entry_is_noticed_and_made_again(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        made = toys.make(script='mkdir "$3"; echo a > "$3/a"; echo b > "$3/b"; printf true > "$1"')
        toys.use(script='cat "$1/a" > "$2"', file=made.outputs["file"])

    ir = house.compile(pipeline)
    made = house.run(ir).tasks["make"]
    for name, (harm, said) in HARMS.items():
        harm(house.store / "done" / made.key)
        verdict = explain(ir, {}, store=house.store)[0]
        assert verdict.verdict == "would run" and said in verdict.why, name
        result = house.run(ir)
        assert [task.state for task in result.tasks.values()] == ["ran", "cached"], name
        assert len(result.warnings) == 1 and said in result.warnings[0], (name, result.warnings)
        assert result.tasks["make"].parameters["text"] == "true"
    assert house.run(ir).warnings == []


def test_the_result_of_other_inputs_is_not_used(house: Any, toys: SimpleNamespace) -> None:
    def pipeline(script: str) -> None:
        toys.make(script=script)

    ir = house.compile(pipeline)
    first, second = (house.run(ir, script=MAKE.format(word)).tasks["make"].key for word in ("one", "two"))
    shutil.rmtree(house.store / "done" / first)
    shutil.copytree(house.store / "done" / second, house.store / "done" / first)
    result = house.run(ir, script=MAKE.format("one"))
    assert result.tasks["make"].state == "ran" and "it is the result of other inputs" in result.warnings[0]


def test_an_entry_without_an_output_that_is_read_now_runs_again(house: Any, toys: SimpleNamespace) -> None:
    script = 'if [ -e "$TRACE" ]; then echo x > "$3"; fi; touch "$TRACE"'

    def alone() -> None:
        toys.make(script=script)

    def pipeline() -> None:
        toys.use(script=USE, file=toys.make(script=script).outputs["file"])

    assert house.run(alone).status == "succeeded"
    assert house.run(pipeline).tasks["make"].state == "ran"


def test_two_steps_of_one_key_run_once(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        for _ in range(2):
            toys.shell(script='echo x >> "$TRACE"; sleep 0.3')

    assert sorted(task.state for task in house.run(pipeline).tasks.values()) == ["cached", "ran"]
    assert house.traced() == ["x"]


def test_two_concurrent_runs_execute_a_step_once(house: Any, toys: SimpleNamespace) -> None:
    def pipeline() -> None:
        toys.shell(script='echo x >> "$TRACE"; while [ ! -e "$TRACE.go" ]; do sleep 0.05; done')

    ir = house.compile(pipeline)
    waits = threading.Event()
    results = []

    def run() -> None:
        listeners = [lambda event: waits.set() if event.state == "waiting" else None]
        results.append(run_pipeline(ir, {}, store=house.store, runs=house.runs, runner=house.runner(), listeners=listeners))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert waits.wait(20)  # the second says that it waits
    Path(f"{house.trace}.go").touch()
    for thread in threads:
        thread.join(20)
    assert sorted(result.tasks["shell"].state for result in results) == ["cached", "ran"]
    assert house.traced() == ["x"]


@pytest.mark.parametrize("stored", ["", "done/1", "work/train-1", "notes.txt"])
def test_a_store_that_only_a_command_needed_is_removed(tmp_path: Path, stored: str) -> None:
    store = Store(tmp_path / "store")
    with store.scratch() as folder:
        (folder.path / "corpus").write_text("A poem.")
        if stored:
            (store.root / stored).mkdir()
    assert not folder.path.exists() and (store.root / stored).exists() == bool(stored)
    store.done.mkdir(parents=True, exist_ok=True)
    with store.scratch():
        pass
    assert store.done.is_dir(), "it existed before"


@pytest.mark.parametrize("count", [10, pytest.param(1000, marks=pytest.mark.soak)])
def test_a_store_that_disappears_is_created_again(tmp_path: Path, count: int) -> None:
    """Each round begins without a store. The calls of a round open it while one of them removes it."""

    def use(_: int) -> None:
        for _ in range(3):
            with Store(tmp_path / "store").scratch() as folder:
                assert folder.path.is_dir()

    with ThreadPoolExecutor(4) as pool:
        for _ in range(count):
            list(pool.map(use, range(4)))
            shutil.rmtree(tmp_path / "store", ignore_errors=True)
