"""Read a compiled pipeline into a flat graph of steps, and check the arguments of a run.

Sub-graphs of the IR are flattened. Their steps inherit inputs, conditions and order from them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from pipelines.run.ir.steps import (
    Argument,
    Constant,
    Container,
    Guard,
    Limits,
    Output,
    Parameter,
    Pipeline,
    Retry,
    Source,
    Step,
    Text,
    outputs_in,
    parse,
)
from pipelines.run.ir.supported import ALWAYS, check_supported
from pipelines.run.ir.values import ANY_PLACEHOLDER, check_placeholders, typed
from robo_poet.digest import digest_json
from robo_poet.errors import BadInput

Message = Mapping[str, Any]
TaskPath = tuple[str, ...]  # task names, from the root


@dataclass(frozen=True)
class Scope:
    """A sub-graph with what it inherits: the sources of its inputs, its conditions, and the steps that must end before it."""

    dag: Message
    path: TaskPath
    parameters: Mapping[str, Source]
    artifacts: Mapping[str, Output]
    guards: tuple[Guard, ...]
    after: frozenset[str]


class Flattener:
    """A reader of one IR document. `check_supported` must have accepted the document."""

    def __init__(self, document: Message) -> None:
        self.document, self.components = document, document.get("components", {})
        paths = list(self.leaves(document["root"], ()))
        task_names = [path[-1] for path in paths]  # a step is named after its task; a task name that occurs twice gets its full path
        self.names = {path: path[-1] if task_names.count(path[-1]) == 1 else ".".join(path) for path in paths}

    def pipeline(self) -> Pipeline:
        """Return the flat graph.

        Raises:
            BadInput: a condition or value is not supported, or an input has no source.
            KeyError: the document is incomplete.
        """
        root = self.document["root"]
        inputs = root.get("inputDefinitions", {}).get("parameters", {})
        root_scope = Scope(root["dag"], (), {name: Argument(name) for name in inputs}, {}, (), frozenset())
        steps = {step.name: step for step in self.steps(root_scope)}
        order = TopologicalSorter({step.name: sorted(step.after) for step in steps.values()}).static_order()
        parameters = {name: _parameter(name, definition) for name, definition in inputs.items()}
        name = self.document.get("pipelineInfo", {}).get("name", "pipeline")
        return Pipeline(name, parameters, {name: steps[name] for name in order}, digest_json(self.document))

    def component(self, dag: Message, task: str) -> Any:
        return self.components[dag["tasks"][task]["componentRef"]["name"]]

    def leaves(self, component: Message, path: TaskPath) -> Iterator[TaskPath]:
        if "dag" not in component:
            yield path
            return
        for task in component["dag"]["tasks"]:
            yield from self.leaves(self.component(component["dag"], task), (*path, task))

    def produced(self, dag: Message, path: TaskPath, kind: str, made: Message, task_key: str = "producerTask") -> Output:
        """Return the step output behind the output of a task. If the task is a sub-graph, follow the selector to the inner task."""
        task, key = made[task_key], made[f"output{kind.capitalize()}Key"]
        inner = self.component(dag, task).get("dag")
        if inner is None:
            return Output(self.names[(*path, task)], key)
        passed = inner["outputs"][f"{kind}s"][key]
        passed = passed["artifactSelectors"][0] if kind == "artifact" else passed["valueFromParameter"]
        return self.produced(inner, (*path, task), kind, passed, "producerSubtask")

    def steps(self, scope: Scope) -> Iterator[Step]:
        """Yield the steps of a scope and of its sub-graphs."""
        for name, task in scope.dag["tasks"].items():
            path, component = (*scope.path, name), self.component(scope.dag, name)
            parameters, artifacts = self.parameters(scope, name), {}
            for key, message in task.get("inputs", {}).get("artifacts", {}).items():
                if "taskOutputArtifact" in message:
                    artifacts[key] = self.produced(scope.dag, scope.path, "artifact", message["taskOutputArtifact"])
                elif message["componentInputArtifact"] in scope.artifacts:
                    artifacts[key] = scope.artifacts[message["componentInputArtifact"]]
            guards, after = scope.guards, set(scope.after)
            for other in task.get("dependentTasks", []):
                after |= {self.names[leaf] for leaf in self.leaves(self.component(scope.dag, other), (*scope.path, other))}
            if text := task.get("triggerPolicy", {}).get("condition"):
                condition = parse(text, f"task {name}")
                title = task.get("taskInfo", {}).get("name", name)
                # KFP names a group `condition-1` or `condition-branches-1` if the author gave no name
                label = "" if title.startswith("condition-") else title
                guards += (Guard(condition, {key: parameters[key] for key in condition.names}, label),)
                after |= {output.step for source in guards[-1].sources.values() for output in outputs_in(source)}
            inside = Scope(component.get("dag", {}), path, parameters, artifacts, guards, frozenset(after))
            if "dag" in component:
                yield from self.steps(inside)
            else:
                yield self.step(inside, task, component)

    def parameters(self, scope: Scope, name: str) -> dict[str, Source]:
        """Return the source of each input parameter of a task."""
        task, definitions = scope.dag["tasks"][name], self.component(scope.dag, name).get("inputDefinitions", {}).get("parameters", {})
        sources: dict[str, Source] = {}
        templates: dict[str, str] = {}
        for key, message in task.get("inputs", {}).get("parameters", {}).items():
            if "taskOutputParameter" in message:
                sources[key] = self.produced(scope.dag, scope.path, "parameter", message["taskOutputParameter"])
            elif "componentInputParameter" in message:
                if message["componentInputParameter"] in scope.parameters:
                    sources[key] = scope.parameters[message["componentInputParameter"]]
            elif ANY_PLACEHOLDER.search(str(constant := message["runtimeValue"]["constant"])):
                templates[key] = str(constant)
            else:
                sources[key] = Constant(typed(definitions[key]["parameterType"], constant, f"task {name}, parameter {key}"))
        for key, template in templates.items():  # an f-string that uses other inputs of the same task
            check_placeholders(template, {"inputDefinitions": {"parameters": sources}}, f"task {name}, parameter {key}")
            sources[key] = Text(template, {other: source for other, source in sources.items() if f"'{other}'" in template})
        for key, definition in definitions.items():
            if key not in sources and "defaultValue" in definition:
                sources[key] = Constant(typed(definition["parameterType"], definition["defaultValue"], f"task {name}, default of {key}"))
        return sources

    def step(self, scope: Scope, task: Message, component: Message) -> Step:
        """Return the step for a scope that is a container."""
        container = self.document["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        input_definitions, output_definitions = component.get("inputDefinitions", {}), component.get("outputDefinitions", {})
        inputs = {key: source for key, source in scope.parameters.items() if key in input_definitions.get("parameters", {})}
        for key, definition in [*input_definitions.get("parameters", {}).items(), *input_definitions.get("artifacts", {}).items()]:
            if key not in inputs and key not in scope.artifacts and not definition.get("isOptional"):
                raise BadInput(f"its input {key} has no source", where=f"task {scope.path[-1]}")
        retry = task.get("retryPolicy", {})
        return Step(
            name=self.names[scope.path],
            display=task.get("taskInfo", {}).get("name", scope.path[-1]),
            container=Container(
                container["image"],
                tuple(container.get("command", ())),
                tuple(container.get("args", ())),
                {variable["name"]: variable.get("value", "") for variable in container.get("env", ())},
                _resources(container.get("resources", {})),
            ),
            parameters=inputs,
            artifacts=scope.artifacts,
            output_parameters={key: definition["parameterType"] for key, definition in output_definitions.get("parameters", {}).items()},
            output_artifacts={
                key: definition["artifactType"].get("schemaTitle", "")
                for key, definition in output_definitions.get("artifacts", {}).items()
            },
            guards=scope.guards,
            after=scope.after | {output.step for source in [*inputs.values(), *scope.artifacts.values()] for output in outputs_in(source)},
            always=task.get("triggerPolicy", {}).get("strategy") == ALWAYS,
            cache=bool(task.get("cachingOptions", {}).get("enableCache")),
            retry=Retry(
                int(retry.get("maxRetryCount", 0)),
                float(retry.get("backoffDuration", "0s").removesuffix("s")),
                float(retry.get("backoffFactor", 2)),
                float(retry.get("backoffMaxDuration", "3600s").removesuffix("s")),
            ),
        )


def _resources(limits: Message) -> Limits:
    gpu = int(limits.get("accelerator", {}).get("resourceCount", 0))
    return Limits(limits.get("resourceCpuLimit", ""), limits.get("resourceMemoryLimit", ""), gpu)


def _parameter(name: str, definition: Message) -> Parameter:
    default = definition.get("defaultValue")
    value = None if default is None else typed(definition["parameterType"], default, f"default of {name}")
    return Parameter(definition["parameterType"], default is None and not definition.get("isOptional"), value)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_pipeline(ir: Path | Mapping[str, Any]) -> Pipeline:
    """Read compiled IR.

    Args:
        ir: path of the YAML file, or its first document. A second document contains settings for Kubernetes and is ignored.

    Raises:
        BadInput: the file is not a compiled pipeline, or it uses a feature that this executor does not support. The message names the
            feature.
    """
    where = str(ir) if isinstance(ir, Path) else "pipeline"
    try:
        document = next(iter(yaml.load_all(ir.read_text("utf-8"), _LOADER)), None) if isinstance(ir, Path) else ir
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read ({error})", where=where) from None
    if not isinstance(document, Mapping) or not str(document.get("schemaVersion", "")).startswith("2.1"):
        raise BadInput("not a compiled pipeline of schema 2.1", where=where, remedy="compile it with kfp 2")
    try:
        check_supported(document)
        return Flattener(document).pipeline()
    except KeyError as error:
        raise BadInput(f"the pipeline is incomplete: {error} is missing", where=where, remedy="compile it again") from None


def check_arguments(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check parameter values against the pipeline's definition, and fill in defaults. Return the values of all parameters.

    Raises:
        BadInput: a name is unknown, a value is missing, or a type is wrong; the message names the parameter.
    """
    for name in given:
        if name not in pipeline.parameters:
            raise BadInput(
                "the pipeline has no such parameter",
                where=f"parameter {name}",
                remedy="the parameters are " + ", ".join(sorted(pipeline.parameters)),
            )
    values = {}
    for name, parameter in pipeline.parameters.items():
        if name in given:
            values[name] = typed(parameter.kind, given[name], f"parameter {name}")
        elif parameter.required:
            raise BadInput("a value is required", where=f"parameter {name}")
        else:
            values[name] = parameter.default
    return values
