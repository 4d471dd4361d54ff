"""All steps as KFP container components, with their dependency groups. Pipelines, images and environments share this list."""

import inspect
from collections.abc import Callable
from typing import Any

from kfp import dsl

from components.audit_model.component import audit_model as _audit_model
from components.collect_window.component import collect_window as _collect_window
from components.compare_champion.component import compare_champion as _compare_champion
from components.deploy_canary.component import deploy_canary as _deploy_canary
from components.evaluate_model.component import evaluate_model as _evaluate_model
from components.gate_model.component import gate_model as _gate_model
from components.ingest.component import ingest as _ingest
from components.judge_drift.component import judge_drift as _judge_drift
from components.measure_text.component import measure_text as _measure_text
from components.register_model.component import register_model as _register_model
from components.scrub_pii.component import scrub_pii as _scrub_pii
from components.send_alert.component import send_alert as _send_alert
from components.slice_metrics.component import slice_metrics as _slice_metrics
from components.train_model.component import train_model as _train_model
from components.train_tokenizer.component import train_tokenizer as _train_tokenizer
from components.validate_data.component import validate_data as _validate_data
from components.write_report.component import write_report as _write_report
from robo_poet.step.declaration import Port, Step

TRAINING_STEPS: tuple[Step, ...] = (
    _ingest, _validate_data, _scrub_pii, _train_tokenizer, _train_model, _evaluate_model, _measure_text, _audit_model, _compare_champion,
    _slice_metrics, _gate_model, _write_report, _register_model, _deploy_canary,
)  # fmt: skip
DRIFT_STEPS: tuple[Step, ...] = (_collect_window, _judge_drift, _send_alert)
STEPS = TRAINING_STEPS + DRIFT_STEPS
GROUPS: dict[str, str] = {step.name: step.group for step in STEPS}


def container_component(step: Step) -> Callable[..., Any]:
    """Return the KFP container component of a declared step. It runs the step's program, with one flag for each argument.

    The image is `robo-poet/<step>`. `Placement` sets prefix and tag.
    """

    arguments = [argument for port in step.ports for argument in _arguments(port)]

    def component(*placeholders: Any) -> dsl.ContainerSpec:
        values = dict(zip([name for name, _, _ in arguments], placeholders, strict=True))
        args = [item for name, value in _flags(step, values) for item in ("--" + name.replace("_", "-"), value)]
        output = ["--executor-output", dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER]
        return dsl.ContainerSpec(image=f"robo-poet/{step.name}", command=["python", "-m", f"components.{step.name}"], args=args + output)

    component.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # the type of functions does not declare it
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation) for name, annotation, _ in arguments]
    )
    component.__name__ = step.name
    described = "\n".join(f"    {name}: {text}" for name, _, text in arguments)
    component.__doc__ = f"{step.description}\n\nArgs:\n{described}\n\nReturns:\n{described}\n"
    return dsl.container_component(component)  # type: ignore[no-any-return]  # KFP's decorator has no type


def _arguments(port: Port) -> list[tuple[str, Any, str]]:
    """Return name, KFP annotation and description of each argument of a port."""
    digest, described = f"{port.name}_digest", f"SHA-256 of {port.name}."
    kind = getattr(dsl, port.kind.__name__, port.kind)
    if port.role == "input":
        return [(port.name, dsl.Input[kind], port.description), (digest, str, described)]
    if port.role == "output":
        return [(port.name, dsl.Output[kind], port.description), (digest, dsl.OutputPath(str), described)]
    if port.role == "view":
        return [(port.name, dsl.Output[kind], port.description)]
    return [(port.name, dsl.OutputPath(kind) if port.role == "result" else kind, port.description)]


def _flags(step: Step, placeholders: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return (flag, value) pairs of the command line, in the declaration's order. Results and output digests use the executor output."""
    flags: list[tuple[str, Any]] = []
    for port in step.of("input", "output", "view", "parameter"):
        value = placeholders[port.name]
        flags.append((port.name, value if port.role == "parameter" else value.path))
        if port.role == "input":
            flags.append((f"{port.name}_digest", placeholders[f"{port.name}_digest"]))
    return flags


ingest = container_component(_ingest)
validate_data = container_component(_validate_data)
scrub_pii = container_component(_scrub_pii)
train_tokenizer = container_component(_train_tokenizer)
train_model = container_component(_train_model)
evaluate_model = container_component(_evaluate_model)
measure_text = container_component(_measure_text)
audit_model = container_component(_audit_model)
compare_champion = container_component(_compare_champion)
slice_metrics = container_component(_slice_metrics)
gate_model = container_component(_gate_model)
write_report = container_component(_write_report)
register_model = container_component(_register_model)
deploy_canary = container_component(_deploy_canary)
collect_window = container_component(_collect_window)
judge_drift = container_component(_judge_drift)
send_alert = container_component(_send_alert)
SIGNERS = ("register_model", "deploy_canary")  # steps that write to the registry, and so need the signing key
