"""The execution of one step: take its result from the store, or run it in its working folder, with retries (PIPE-4)."""

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from pipelines.run.execution.process import Job, Runner
from pipelines.run.execution.schedule import CANCELLED, Start
from pipelines.run.ir.values import PlaceholderValues, fill_placeholders
from pipelines.run.record import Event, Record, failure_reason, last_error, read_warnings
from pipelines.run.result import TaskResult
from pipelines.run.store.entry import Entry, collect
from pipelines.run.store.store import Store, WorkingFolder, clear, ingredients
from robo_poet.errors import BadInput
from robo_poet.step.program import BAD_INPUT


@dataclass(frozen=True)
class Attempt:
    """The execution of one step, with the services that it needs.

    Args:
        start: the step and its inputs.
        consumed: outputs that other steps read → name of one reader.
        emit: receives events, from any thread.
        cancel: set when the run must end.
    """

    start: Start
    consumed: Mapping[str, str]
    store: Store
    record: Record
    runner: Runner
    emit: Callable[[Event], None]
    cancel: threading.Event

    def result(self) -> TaskResult:
        """Execute the step, or find its result in the store. Return the result."""
        step, started_at = self.start.step, time.monotonic()
        key_ingredients = ingredients(
            step, self.start.parameters, {name: artifact.digest for name, artifact in self.start.artifacts.items()}
        )
        key = self.store.key(key_ingredients)

        def finish(state: str, entry: Entry | None = None, **more: Any) -> TaskResult:
            if entry:
                more["warnings"] = (*more.get("warnings", ()), *entry.warnings)
                more |= {"parameters": entry.parameters, "artifacts": entry.artifacts}
            return TaskResult(state, time.monotonic() - started_at, key, **more)

        if step.cache and (entry := self.store.find(key, self.consumed)[0]):
            return finish("cached", entry)
        with self.store.locked(self.store.working_folder(step, key), self.wait_callback(key)) as working_folder:
            if working_folder is None:
                return finish("cancelled", error=CANCELLED)
            warnings: tuple[str, ...] = ()
            if step.cache:  # check again: another run may have stored it during the wait
                entry, damage = self.store.find(key, self.consumed)
                if entry:
                    return finish("cached", entry)
                if damage:
                    warnings = (f"the stored result cannot be used, so the step runs again: {damage}",)
                    self.emit(Event(step.name, "warning", warnings[0]))
                    self.store.drop(key)
            log = self.record.log(step.name)
            for number in count(1):
                offset, started = log.stat().st_size if log.exists() else 0, time.monotonic()
                status, placeholders = self.execute(working_folder, key, number)
                refusal = last_error(log, offset) if status == BAD_INPUT else ""
                retry = status not in (0, BAD_INPUT) and number <= step.retry.count
                if status == 0:
                    try:
                        outputs, step_warnings = collect(step, placeholders, self.consumed), read_warnings(log, offset)
                        entry = Entry(step.name, key, key_ingredients, *outputs, time.monotonic() - started, step_warnings, time.time())
                        return finish("ran", self.store_result(working_folder, entry), warnings=warnings, log=log, attempts=number)
                    except BadInput as fault:
                        error = str(fault)
                elif self.cancel.is_set():
                    return finish("cancelled", error=CANCELLED, log=log, attempts=number)
                else:
                    error = failure_reason(log, offset, status)
                if not retry:
                    self.move_failed_artifacts(working_folder)
                    warnings += read_warnings(log, offset)
                    if refusal and not self.start.artifacts:  # a first step, which has no checkpoint: its input is not kept
                        shutil.rmtree(working_folder.path, ignore_errors=True)
                    text = f"{step.name}: {error} (log: {log})"
                    return finish("failed", error=text, warnings=warnings, log=log, attempts=number, refusal=refusal)
                seconds = step.retry.wait(number)
                self.emit(Event(step.name, "retrying", f"{error}; next attempt in {seconds:g} s", number))
                if self.cancel.wait(seconds):
                    return finish("cancelled", error=CANCELLED, log=log, attempts=number)
        raise AssertionError("the last attempt returns")

    def wait_callback(self, key: str) -> Callable[[], bool]:
        """Return a callback for the wait on another run's lock. It emits one event and returns whether to wait longer."""
        announced: list[str] = []

        def keep_waiting() -> bool:
            if not announced:
                announced.append(key)
                self.emit(Event(self.start.step.name, "waiting", "another run executes this step; waiting for its result"))
            return not self.cancel.is_set()

        return keep_waiting

    def execute(self, working_folder: WorkingFolder, key: str, number: int) -> tuple[int, PlaceholderValues]:
        """Run the container once and return its exit status. Its output folder is emptied first; its working folder keeps earlier files."""
        container, name = self.start.step.container, self.start.step.name
        placeholders = PlaceholderValues(
            self.start.parameters, {key: artifact.path for key, artifact in self.start.artifacts.items()}, working_folder.outputs
        )
        clear(working_folder.outputs)
        for kind in ("artifacts", "parameters"):
            (working_folder.outputs / kind).mkdir()
        argv = tuple(fill_placeholders(template, placeholders) for template in (*container.command, *container.args))
        log = self.record.log(name)
        reads = tuple(placeholders.inputs.values())
        job = Job(container.image, argv, container.env, working_folder.path, log, reads, working_folder.lock, container.resources)
        self.emit(Event(name, "running", attempt=number, detail={"key": key, "folder": str(working_folder.path), "log": str(log)}))
        return self.runner.run(job, self.cancel), placeholders

    def store_result(self, working_folder: WorkingFolder, entry: Entry) -> Entry:
        """Move a result to the store, or to the run's folder if the step is not cached. Remove the working folder with its checkpoints."""
        entry = self.store.commit(working_folder, entry, None if self.start.step.cache else self.record.folder / "outputs" / entry.task)
        shutil.rmtree(working_folder.path, ignore_errors=True)
        return entry

    def move_failed_artifacts(self, working_folder: WorkingFolder) -> None:
        """Move the artifacts of a failed step, such as a page that describes the fault, to the run's folder. No other step reads them."""
        if any((working_folder.outputs / "artifacts").iterdir()):
            target = self.record.folder / "outputs" / self.start.step.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(working_folder.outputs / "artifacts", target)
