"""A training run on this machine: find the champion, compile the pipeline, execute it, and collect the outcome."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.compile import compile_training, run_parameters
from pipelines.outcome import Outcome, collect_outcome, link_training_logs
from pipelines.profile.load import Profile
from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import Runner
from pipelines.run.explain import Verdict, explain
from pipelines.run.record import Listener
from pipelines.run.result import RunResult
from robo_poet.registry.registry import Registry

# Values of the parameter `champion`. With the second, compare_champion reads the registry itself and reports what is wrong.
NO_CHAMPION, READ_IN_STEP = "none", ""


def champion(registry: Path) -> str:
    """Return the digest of the champion in a local registry, or `none` if there is no champion.

    Returns the empty text if the registry has version folders but no log of them: the log may be lost, so "no champion" is not certain.

    Raises:
        Corrupt: the log differs from what was written.
    """
    store = Registry(registry)
    if version := store.champion():
        return version.digest
    return READ_IN_STEP if store.unregistered_folders() else NO_CHAMPION


def train_here(
    profile: Profile, source: str, runner: Callable[[Mapping[str, Any]], Runner], listener: Listener
) -> tuple[RunResult, Outcome]:
    """Run the pipeline to its end.

    Args:
        source: the user's corpus, an absolute path or a `gs://` address; empty for the bundled corpora.
        runner: creates the runner from the run's parameters. It is called twice: first with the location parameters only, so that
            it can reject them early, then with all parameters.

    Raises:
        BadInput: the profile, the source or the runner cannot be used. No step has run.
    """
    runner(locations_here(profile, source))  # first: a location that the runner cannot reach is rejected before its content is read
    parameters = parameters_here(profile, source)  # before any folder is created: a missing source leaves no folders
    step_runner = runner(parameters)  # these include warm_start, which the runner must reach too
    with _compiled(profile) as ir:
        result = run_pipeline(
            ir, parameters, store=Path(profile.local.store), runs=Path(profile.local.runs), runner=step_runner,
            listeners=[listener, link_training_logs], max_parallel=profile.local.parallel,
        )  # fmt: skip
        shutil.copyfile(ir, result.folder / "pipeline.yaml")  # keeps the compiled pipeline with its results
    return result, collect_outcome(result)


def explain_here(profile: Profile, source: str) -> list[Verdict]:
    """Return, for each step, whether `train_here` would run it, and why."""
    parameters = parameters_here(profile, source)
    with _compiled(profile) as ir:
        return explain(ir, parameters, store=Path(profile.local.store))


def parameters_here(profile: Profile, source: str) -> dict[str, Any]:
    """Return all parameters of a run on this machine."""
    locations = locations_here(profile, source)
    return {
        **run_parameters(profile, source=source, registry=locations["registry"]),
        "champion": champion(Path(locations["registry"])),
        **locations,
    }


def locations_here(profile: Profile, source: str) -> dict[str, str]:
    """Return the location parameters of a run: `source`, `registry` and `checkpoint_root`. Reads no files.

    Checkpoints stay in the working folders of the steps, where a later run and `gc` find them.
    """
    return {"source": source, "registry": str(Path(profile.local.registry).resolve()), "checkpoint_root": "."}


@contextmanager
def _compiled(profile: Profile) -> Iterator[Path]:
    """Yield the path of the compiled pipeline. The folder is temporary: concurrent runs may use different profiles."""
    store = Path(profile.local.store)
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".compile-", dir=store) as folder:
        ir = Path(folder) / "pipeline.yaml"
        compile_training(profile, ir, moving_champion=False)
        yield ir
