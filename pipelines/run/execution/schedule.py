"""The scheduling of steps: which steps can start now, and which end without running. Pure functions of the results so far (PIPE-1)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.run.ir.steps import Argument, Constant, Output, Pipeline, Source, Step
from pipelines.run.ir.values import PlaceholderValues, fill_placeholders
from pipelines.run.result import TaskResult
from pipelines.run.store.entry import Artifact
from robo_poet.errors import BadInput

CANCELLED = "the run was cancelled"


@dataclass(frozen=True)
class Start:
    """A step that can start, with its inputs."""

    step: Step
    parameters: Mapping[str, Any]
    artifacts: Mapping[str, Artifact]


@dataclass(frozen=True)
class End:
    """A step that ends without running: skipped, cancelled, or failed because its condition or inputs cannot be evaluated."""

    step: Step
    result: TaskResult


class Absent(Exception):
    """An output is missing because its step did not finish."""

    def __init__(self, output: Output) -> None:
        self.output = output
        super().__init__(f"the step {output.step} has no output {output.key}")


def next_moves(
    pipeline: Pipeline, arguments: Mapping[str, Any], ended: Mapping[str, TaskResult], running: Collection[str], stop: bool
) -> list[Start | End]:
    """Return all moves that are possible now, in the pipeline's order.

    After a failure, only exit handlers start, when the steps that they wait for have ended.

    Args:
        arguments: parameters of the pipeline.
        ended: results of the steps that have ended.
        running: names of the running steps.
        stop: whether the run is cancelled, so that no step starts.
    """
    ended, moves = dict(ended), []
    for step in pipeline.steps.values():
        if step.name in ended or step.name in running:
            continue
        failed = next((name for name, task in ended.items() if task.state == "failed"), "")
        move: Start | End
        if stop:
            move = End(step, TaskResult("cancelled", error=CANCELLED))
        elif failed and not step.always:
            move = End(step, TaskResult("cancelled", error=f"{failed} failed"))
        elif step.after <= ended.keys():
            move = decide(step, arguments, ended)
        else:
            continue
        if isinstance(move, End):
            ended[step.name] = move.result
        moves.append(move)
    return moves


def decide(step: Step, arguments: Mapping[str, Any], ended: Mapping[str, TaskResult]) -> Start | End:
    """Return the move for a step whose predecessors have all ended."""
    try:
        for guard in step.guards:
            if not guard.condition.holds({key: value(guard.sources[key], arguments, ended) for key in guard.condition.names}):
                return End(step, TaskResult("skipped", error=f"it runs only if {guard.words}"))
        parameters = {key: value(source, arguments, ended) for key, source in step.parameters.items()}
        return Start(step, parameters, {key: artifact(source, ended) for key, source in step.artifacts.items()})
    except Absent as absent:
        needed = absent.output.step
        if ended[needed].state == "skipped":
            return End(step, TaskResult("skipped", error=f"it needs a result of {needed}, which was skipped"))
        return End(step, TaskResult("cancelled", error=str(absent)))
    except BadInput as error:
        return End(step, TaskResult("failed", error=f"{step.name}: {error}"))


def value(source: Source, arguments: Mapping[str, Any], ended: Mapping[str, TaskResult]) -> Any:
    """Return the value of a parameter.

    Raises:
        Absent: the value comes from a step that did not finish.
    """
    if isinstance(source, Constant):
        return source.value
    if isinstance(source, Argument):
        return arguments[source.name]
    if isinstance(source, Output):
        if source.step not in ended or source.key not in ended[source.step].parameters:
            raise Absent(source)
        return ended[source.step].parameters[source.key]
    values = {key: value(part, arguments, ended) for key, part in source.parts.items()}
    return fill_placeholders(source.template, PlaceholderValues(values, {}, Path()))


def artifact(source: Output, ended: Mapping[str, TaskResult]) -> Artifact:
    """Return an output artifact of a step.

    Raises:
        Absent: the step did not finish.
    """
    if source.step not in ended or source.key not in ended[source.step].artifacts:
        raise Absent(source)
    return ended[source.step].artifacts[source.key]
