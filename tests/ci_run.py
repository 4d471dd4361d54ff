"""The whole pipeline on the `ci` profile, by a runner of one's choice: what tests and benchmarks of runners compare."""

from pathlib import Path

from pipelines.compile import chosen_settings, compile_training, run_parameters
from pipelines.images.build import docker_runner
from pipelines.images.programs import ROOT, interpreter
from pipelines.profile.load import load_profile
from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import ProcessRunner, Runner
from pipelines.run.result import RunResult


def ci_run(home: Path, runner: str, source: str = "", *settings: str) -> RunResult:
    """Run it in a store and a registry of its own, below `home`; `runner` is `process` or `docker`."""
    chosen = load_profile("ci", settings).profile
    parameters = run_parameters(chosen, source=source, registry=str(home / "registry"), chosen=chosen_settings("ci", chosen))
    ir = home / "training.yaml"
    compile_training(chosen, ir)
    made: Runner = docker_runner(parameters) if runner == "docker" else ProcessRunner(ROOT, interpreter)
    return run_pipeline(ir, parameters, store=home / "store", runs=home / "runs", runner=made)
