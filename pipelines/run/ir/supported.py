"""The part of the IR that the executor supports. Any other key is rejected by name before a step runs, as it could change a result."""

import re
from collections.abc import Mapping
from typing import Any

from pipelines.run.ir.values import KINDS, check_placeholders
from robo_poet.errors import BadInput

ALWAYS = "ALL_UPSTREAM_TASKS_COMPLETED"
_SAFE = re.compile(r"[\w-][\w.-]*")
KNOWN = {
    "pipeline": {"components", "deploymentSpec", "pipelineInfo", "root", "schemaVersion", "sdkVersion", "defaultPipelineRoot"},
    "component": {"dag", "executorLabel", "inputDefinitions", "outputDefinitions"},
    "dag": {"tasks", "outputs"},
    "task": {"cachingOptions", "componentRef", "dependentTasks", "inputs", "retryPolicy", "taskInfo", "triggerPolicy"},
    "caching": {"enableCache"},
    "trigger": {"condition", "strategy"},
    "parameter input": {"runtimeValue", "componentInputParameter", "taskOutputParameter"},
    "runtime value": {"constant"},
    "artifact input": {"componentInputArtifact", "taskOutputArtifact"},
    "parameter output": {"valueFromParameter"},
    "executor": {"container"},
    "container": {"image", "command", "args", "env", "resources"},
    "resources": {
        "accelerator", "cpuLimit", "cpuRequest", "memoryLimit", "memoryRequest",
        "resourceCpuLimit", "resourceCpuRequest", "resourceMemoryLimit", "resourceMemoryRequest",
    },
    "definitions": {"parameters", "artifacts"},
    "parameter definition": {"parameterType", "defaultValue", "isOptional", "description"},
    "artifact definition": {"artifactType", "isOptional", "description", "metadata"},
}  # fmt: skip
NAMES = {  # IR key → its name in the KFP SDK
    "parameterIterator": "a loop (dsl.ParallelFor)",
    "artifactIterator": "a loop over artifacts (dsl.ParallelFor)",
    "iteratorPolicy": "a loop's parallelism",
    "importer": "dsl.importer",
    "valueFromOneof": "dsl.OneOf",
    "taskFinalStatus": "dsl.PipelineTaskFinalStatus",
    "TASK_FINAL_STATUS": "dsl.PipelineTaskFinalStatus",
    "customJob": "a custom job",
    "resolver": "a resolver",
    "cacheKey": "a custom cache key",
    "parameterExpressionSelector": "a selector inside a value",
    "isArtifactList": "a list of artifacts",
}


def refused(key: str, where: str) -> BadInput:
    """Return the error for the unsupported IR key `key` at `where`."""
    feature = NAMES.get(key, key)
    return BadInput(f"{feature} is not supported by the local executor", where=where, remedy="run this pipeline on a cluster")


def check_supported(document: Mapping[str, Any]) -> None:
    """Check that a pipeline uses only IR that the executor supports.

    Raises:
        BadInput: names the task and the unsupported feature.
        KeyError: the document is incomplete.
    """
    _only("pipeline", document, "pipeline")
    components, executors = document.get("components", {}), document.get("deploymentSpec", {}).get("executors", {})
    if document["root"].get("inputDefinitions", {}).get("artifacts"):
        raise refused("an artifact as a parameter of the pipeline", "pipeline")
    for label, component in [("pipeline", document["root"]), *components.items()]:
        _component(component, label.removeprefix("comp-"), executors)
        dag = component.get("dag", {})
        _only("dag", dag, label)
        for message in dag.get("outputs", {}).get("parameters", {}).values():
            _only("parameter output", message, label)
        for message in dag.get("outputs", {}).get("artifacts", {}).values():
            if len(message["artifactSelectors"]) != 1:
                raise refused("valueFromOneof", label)
        for name, task in dag.get("tasks", {}).items():
            _task(task, f"task {name}")
            if "dag" in components[task["componentRef"]["name"]] and task.get("triggerPolicy", {}).get("strategy") == ALWAYS:
                raise refused(f"{ALWAYS} on a sub-graph", f"task {name}")


def _only(kind: str, message: Mapping[str, Any], where: str) -> None:
    for key in sorted(set(message) - KNOWN[kind], key=lambda key: (key not in NAMES, key)):
        raise refused(key, where)


def _component(component: Mapping[str, Any], where: str, executors: Mapping[str, Any]) -> None:
    _only("component", component, where)
    for side in ("inputDefinitions", "outputDefinitions"):
        _only("definitions", component.get(side, {}), where)
        for name, definition in component.get(side, {}).get("parameters", {}).items():
            _only("parameter definition", definition, f"{where}, parameter {name}")
            if definition["parameterType"] not in KINDS:
                raise refused(definition["parameterType"], f"{where}, parameter {name}")
        for name, definition in component.get(side, {}).get("artifacts", {}).items():
            _only("artifact definition", definition, f"{where}, artifact {name}")
    if "executorLabel" in component:
        executor = executors[component["executorLabel"]]
        _only("executor", executor, where)
        _only("container", executor["container"], where)
        _only("resources", executor["container"].get("resources", {}), where)
        for template in [*executor["container"].get("command", []), *executor["container"].get("args", [])]:
            check_placeholders(template, component, where)


def _task(task: Mapping[str, Any], where: str) -> None:
    if not _SAFE.fullmatch(where.removeprefix("task ")):
        raise BadInput("the task's name cannot be used as a file name", where=where)
    _only("task", task, where)
    _only("caching", task.get("cachingOptions", {}), where)
    _only("trigger", task.get("triggerPolicy", {}), where)
    for kind in ("parameter", "artifact"):
        for key, message in task.get("inputs", {}).get(f"{kind}s", {}).items():
            _only(f"{kind} input", message, f"{where}, {kind} {key}")
            _only("runtime value", message.get("runtimeValue", {}), f"{where}, {kind} {key}")
