"""The drift-watch pipeline: judges a window of live traffic, and sends a drift to Alertmanager (MON-3, PIPE-2).

It decides as the drift watcher does, with the same judge. It starts no training run: Alertmanager sends the alert to the trigger of the
retraining, which starts at most one for each cause.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kfp import dsl

from pipelines import steps
from pipelines.compile import check_step_names, write_ir
from pipelines.placement import Placement
from pipelines.profile.load import Profile
from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import Runner
from pipelines.run.record import Listener
from pipelines.run.result import RunResult
from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.registry.names import model_name
from robo_poet.settings.serve import CONNECTION

NAME = "robo-poet-drift-watch"
ABOUT = "Window of live traffic → verdict and page → alert. A version's name is the digest of its YAML."
VERDICT, PAGE = "verdict.json", "drift.html"  # in the folder of a run on this machine


def drift_watch_pipeline(placement: Placement) -> Callable[..., Any]:
    """Return the KFP pipeline, its tasks configured by `placement`.

    1. Take a snapshot of the window, with the baseline of the champion. Not cached: the request log and the registry change.
    2. Judge it, and compare it with the first windows by Evidently. Cached: the same snapshot has the same verdict.
    3. If it is a drift, send an alert. Not cached. Alertmanager treats repeated alerts as one.
    """

    @dsl.pipeline(name=NAME, display_name="Watch for drift", description="Window of live traffic → verdict and page → alert.")
    def drift_watch(requests: str, registry: str, model_name: str, window: str, model_server: dict, drift: dict, alertmanager: str) -> None:
        """Judge whether the live perplexity of a window is a drift. If it is, send an alert.
        Args:
            requests: Folder of the request log, where its claim is mounted.
            registry: The model registry: gs://bucket/prefix, or the folder where the registry claim is mounted.
            model_name: Name of the model in the registry. Its champion is watched.
            window: Start of the window (UTC), such as 2026-03-02. Empty for the newest complete window when the run starts.
            model_server: The keys `model_server…` of section `serve`: where the held-out text of the champion is scored.
            drift: Section `monitoring.drift` of the profile: length of a window, when a rise is a drift.
            alertmanager: Address of Alertmanager. Empty to send no alert.
        """
        collected = placement(
            steps.collect_window(
                requests=requests, registry=registry, model_name=model_name, window=window, model_server=model_server, settings=drift
            )
        ).set_caching_options(False)
        traffic = {name: collected.outputs[name] for name in ("traffic", "traffic_digest")}
        judged = placement(steps.judge_drift(**traffic, settings=drift))
        with dsl.If(judged.outputs["action"] == "drift", name="the window is a drift"):
            verdict = {name: judged.outputs[name] for name in ("verdict", "verdict_digest")}
            placement(steps.send_alert(**verdict, alertmanager=alertmanager)).set_caching_options(False)

    return drift_watch  # type: ignore[no-any-return]  # KFP's decorator is untyped


def compile_drift_watch(profile: Profile, target: Path) -> None:
    """Write the IR YAML of the pipeline to `target`. The profile's settings become the defaults of its parameters.

    Raises:
        BadInput: the profile sets resources or secrets for a step that does not exist.
    """
    check_step_names(profile)
    pipeline = drift_watch_pipeline(Placement(profile.cluster, profile.beam))
    places = {name: value for name in ("requests", "registry") if (value := getattr(profile.cluster, name))}
    write_ir(pipeline, {**settings_parameters(profile), "model_name": model_name("", profile.model, ""), "window": "", **places}, target)


def settings_parameters(profile: Profile) -> dict[str, Any]:
    """Return the run parameters that depend only on the profile."""
    return {
        "drift": profile.monitoring.drift.model_dump(mode="json"), "alertmanager": profile.monitoring.alertmanager,
        "model_server": profile.serve.model_dump(mode="json", include=CONNECTION),
    }  # fmt: skip


def cluster_parameters(profile: Profile, model: str = "") -> dict[str, Any]:
    """Return all parameters of a run on a cluster, for the newest complete window when the run starts.

    Args:
        model: name of the model; empty for the name from the profile.

    Raises:
        BadInput: the profile does not say where the pods find the request log.
    """
    cluster = profile.cluster
    if not cluster.requests:
        remedy = f"set cluster.requests and cluster.requests_claim ({command('cluster doctor')})"
        raise BadInput("the pods do not know the folder of the request log", where="cluster.requests", remedy=remedy)
    return settings_parameters(profile) | {
        "requests": cluster.requests, "registry": cluster.registry, "model_name": model_name(model, profile.model, ""), "window": "",
    }  # fmt: skip


def watch_here(
    profile: Profile, parameters: Mapping[str, Any], runner: Runner, listener: Listener, *, runs: Path
) -> tuple[RunResult, dict[str, Any]]:
    """Run the pipeline on this machine. Its folder gets the verdict and the page.

    Args:
        parameters: `requests`, `registry`, `model_name` and `window`; the others come from the profile.
        runs: where the folder of the run is created.

    Returns:
        The result, and the verdict. The verdict is empty if the judge has not run.

    Raises:
        BadInput: the profile cannot be used. No step has run.
    """
    store = Path(profile.local.store)
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".compile-", dir=store) as folder:
        ir = Path(folder) / "pipeline.yaml"
        compile_drift_watch(profile, ir)
        everything = settings_parameters(profile) | dict(parameters)
        result = run_pipeline(ir, everything, store=store, runs=runs, runner=runner, listeners=[listener])
        shutil.copyfile(ir, result.folder / "pipeline.yaml")
    task = result.tasks["judge-drift"]
    if not task.finished:
        return result, {}
    for name, file in (("verdict", VERDICT), ("page", PAGE)):
        shutil.copyfile(task.artifacts[name].path, result.folder / file)
    return result, dict(json.loads((result.folder / VERDICT).read_text("utf-8")))
