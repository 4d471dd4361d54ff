"""Run a compiled pipeline on this machine: independent steps in parallel, finished steps from the store (PIPE-1, PIPE-4).

The main thread schedules steps and records events. Each running step has a thread that waits for its process.
"""

import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from pipelines.run.execution.attempt import Attempt
from pipelines.run.execution.process import Runner
from pipelines.run.execution.schedule import End, Start, next_moves
from pipelines.run.ir.document import check_arguments, read_pipeline
from pipelines.run.ir.steps import Pipeline
from pipelines.run.record import Event, Listener, Record
from pipelines.run.result import RunResult, TaskResult, first_refusal
from pipelines.run.store.store import Store
from robo_poet.errors import BadInput

Message = Event | tuple[str, TaskResult | BaseException] | None


def run_pipeline(
    ir: Path | Mapping[str, Any],
    parameters: Mapping[str, Any],
    *,
    store: Path,
    runs: Path,
    runner: Runner,
    listeners: Sequence[Listener] = (),
    run_id: str | None = None,
    max_parallel: int = 2,
) -> RunResult:
    """Run a compiled pipeline to its end.

    If it is called from the main thread, SIGINT and SIGTERM cancel the run: running steps are stopped, the status is `cancelled`,
    and no exception is raised.

    Args:
        ir: path of the compiled YAML, or its first document.
        parameters: parameters of the pipeline; missing ones take their defaults.
        store: folder of the content-addressed store.
        runs: folder in which the folder of this run is created.
        runner: executes the containers of steps.
        listeners: called with each event, in the main thread.
        run_id: name of the run's folder; the default is the time (UTC) and a random suffix.
        max_parallel: maximum number of steps that run at the same time.

    Raises:
        BadInput: the pipeline or its parameters cannot be used, and no step has run; or the first step refused its input, and the folder
            of the run is removed, because nothing was stored. Another failed step raises nothing; see `RunResult`.
    """
    if max_parallel < 1:
        raise BadInput("must be at least 1", where=f"max_parallel {max_parallel}")
    pipeline = read_pipeline(ir)
    arguments = check_arguments(pipeline, parameters)
    for step in pipeline.steps.values():
        runner.check(step.container)
    record = Record(runs, run_id, listeners)
    summary: dict[str, Any] = {}
    try:
        result = _Run(pipeline, arguments, Store(store), record, runner, max_parallel).result()
        if refusal := result.refusal:
            record.discard()
            raise BadInput(refusal)
        summary = result.summary()
    finally:
        runner.close()
        record.close(summary)
    return result


class _Run:
    def __init__(
        self, pipeline: Pipeline, arguments: Mapping[str, Any], store: Store, record: Record, runner: Runner, max_parallel: int
    ) -> None:
        self.pipeline, self.arguments, self.store, self.record, self.runner = pipeline, arguments, store, record, runner
        self.max_parallel = max_parallel
        self.cancel = threading.Event()
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self.ended: dict[str, TaskResult] = {}
        self.running: dict[str, threading.Thread] = {}
        self.defect: BaseException | None = None

    def result(self) -> RunResult:
        started = time.monotonic()
        steps = [{"name": step.name, "display": step.display} for step in self.pipeline.steps.values()]
        details = {"pipeline": self.pipeline.name, "digest": self.pipeline.digest, "parameters": self.arguments, "steps": steps}
        with self.signals(), self.all_ended():
            self.record.emit(Event("", "started", self.record.id, detail=details))
            while len(self.ended) < len(self.pipeline.steps):
                for move in next_moves(self.pipeline, self.arguments, self.ended, self.running, self.cancel.is_set()):
                    if isinstance(move, End):
                        self.end(move.step.name, move.result)
                    elif len(self.running) < self.max_parallel:
                        self.start(move)
                if self.running:
                    self.receive(self.messages.get())
        if self.defect is not None:
            raise self.defect
        failure = next((task.error for task in self.ended.values() if task.state == "failed"), "")
        status = "cancelled" if self.cancel.is_set() else "failed" if failure else "succeeded"
        tasks = {name: self.ended[name] for name in self.pipeline.steps}
        result = RunResult(self.record.id, self.record.folder, self.pipeline.name, status, tasks, failure, time.monotonic() - started)
        if not result.refusal:
            self.record.emit(Event("", status, failure))
        return result

    def start(self, start: Start) -> None:
        name = start.step.name
        attempt = Attempt(start, self.pipeline.consumed(name), self.store, self.record, self.runner, self.messages.put, self.cancel)

        def execute() -> None:
            try:
                self.messages.put((name, attempt.result()))
            except OSError as error:  # such as a full disk or a read-only folder: the user can fix it
                self.messages.put((name, TaskResult("failed", error=f"{name}: {error}")))
            except BaseException as error:
                self.messages.put((name, error))

        self.running[name] = threading.Thread(target=execute, name=name, daemon=True)
        self.running[name].start()

    def receive(self, message: Message) -> None:
        if isinstance(message, Event):
            self.record.emit(message)
        elif message is not None:
            name, result = message
            self.running.pop(name).join()
            if isinstance(result, BaseException):  # a bug: stop the other steps, then raise it
                self.defect, result = self.defect or result, TaskResult("failed", error=f"{name}: {result!r}")
                self.cancel.set()
            self.end(name, result)

    def end(self, name: str, result: TaskResult) -> None:
        self.ended[name] = result
        detail = {"seconds": round(result.seconds, 3), "key": result.key, "warnings": list(result.warnings)}
        refused = result.refusal and first_refusal(self.ended.values())
        text = "" if refused else result.error  # a refusal is the error of the command, and not told twice
        self.record.emit(Event(name, result.state, text, result.attempts, detail))

    @contextmanager
    def all_ended(self) -> Iterator[None]:
        """Cancel and join all running steps at the end of the context, also after an exception of a listener or a full disk."""
        try:
            yield
        finally:
            if self.running:
                self.cancel.set()
            for thread in self.running.values():
                thread.join()

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Cancel the run on SIGINT and SIGTERM. Python allows signal handlers only in the main thread; elsewhere this does nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(*_: object) -> None:
            self.cancel.set()
            self.messages.put(None)

        previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
