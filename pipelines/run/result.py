"""The results of a run and of its steps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.run.store.entry import Artifact

EXIT = {"succeeded": 0, "failed": 1, "cancelled": 130}


@dataclass(frozen=True)
class TaskResult:
    """The result of a step.

    Args:
        state: `ran`, `cached`, `failed`, `skipped` or `cancelled`.
        seconds: wall time in this run.
        key: cache key; empty if the step did not start.
        parameters, artifacts: outputs, if the step ran or was cached.
        warnings: warnings of this run, or of the run that made the cached result.
        error: why it failed, was skipped or was cancelled, in one line.
        log: path of its log, if it ran in this run.
        attempts: number of attempts in this run.
        refusal: why it refused its input, in one line: its error with the exit status of bad input.
    """

    state: str
    seconds: float = 0.0
    key: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: str = ""
    log: Path | None = None
    attempts: int = 0
    refusal: str = ""

    @property
    def finished(self) -> bool:
        """Whether the step has outputs."""
        return self.state in ("ran", "cached")


def first_refusal(tasks: Iterable[TaskResult]) -> str:
    """Return why the first step of a run refused its input; empty if a step has finished, or failed for another reason."""
    ended = list(tasks)
    return "" if any(task.finished for task in ended) else next((task.refusal for task in ended if task.refusal), "")


@dataclass(frozen=True)
class RunResult:
    """The result of a run. `error` is the first failure in one line; `seconds` is wall time."""

    run_id: str
    folder: Path
    pipeline: str
    status: str
    tasks: Mapping[str, TaskResult]
    error: str
    seconds: float

    @property
    def refusal(self) -> str:
        """See `first_refusal`. Empty if the run was cancelled."""
        return first_refusal(self.tasks.values()) if self.status == "failed" else ""

    @property
    def exit_status(self) -> int:
        """0 for success, 1 after a failure, 130 after Ctrl-C."""
        return EXIT[self.status]

    @property
    def warnings(self) -> list[str]:
        """All warnings, each prefixed with its step."""
        return [f"{name}: {text}" for name, task in self.tasks.items() for text in task.warnings]

    def summary(self) -> dict[str, Any]:
        """Return the content of `summary.json` (DESIGN, Commands). The caller can add metrics, gates and version."""
        return {
            "run": self.run_id,
            "pipeline": self.pipeline,
            "status": self.status,
            "error": self.error,
            "seconds": round(self.seconds, 3),
            "steps": {
                name: {"state": task.state, "seconds": round(task.seconds, 3), "key": task.key}
                | ({"error": task.error} if task.error else {})
                for name, task in self.tasks.items()
            },
            "warnings": self.warnings,
            "outputs": {
                name: {
                    "parameters": dict(task.parameters),
                    "artifacts": {
                        key: {"path": str(artifact.path), "digest": artifact.digest, "metadata": dict(artifact.metadata)}
                        for key, artifact in task.artifacts.items()
                    },
                }
                for name, task in self.tasks.items()
                if task.finished
            },
        }
