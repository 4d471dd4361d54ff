"""A run on this machine: resolves the champion, compiles the pipeline, executes it, and collects the outcome."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.compile import compile_training, run_parameters
from pipelines.outcome import Outcome, conclude, watch_training
from pipelines.profile.load import Profile
from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import Runner
from pipelines.run.explain import Verdict, explain
from pipelines.run.record import Listener
from pipelines.run.result import RunResult
from robo_poet.registry.registry import Registry

NONE, ASK = "none", ""  # what compare_champion is told: there is none; ask the registry, and say what is wrong with it


def champion(registry: Path) -> str:
    """Digest of the champion of this machine's registry; `none`; or nothing where the log may have been lost, which is not the same.

    Raises:
        Corrupt: the log is not what was written.
    """
    store = Registry(registry)
    if found := store.champion():
        return found.digest
    return ASK if store.strays() else NONE


def train_here(
    profile: Profile, source: str, runner: Callable[[Mapping[str, Any]], Runner], listener: Listener
) -> tuple[RunResult, Outcome]:
    """Run the pipeline to its end.

    Args:
        source: the reader's own corpus, absolute or `gs://`; empty for the bundled one.
        runner: makes the runner for the run's parameters; asked first with those alone that say where something is, so that it can refuse.

    Raises:
        BadInput: the profile, the source or the runner cannot be used; nothing has run.
    """
    runner(places_here(profile, source))  # first: what it cannot reach need not be looked at
    parameters = parameters_here(profile, source)  # before any folder is made: a source that is not there leaves none behind
    chosen = runner(parameters)  # a version to begin with is among them now, and has to be reached
    with _compiled(profile) as ir:
        result = run_pipeline(
            ir, parameters, store=Path(profile.local.store), runs=Path(profile.local.runs), runner=chosen,
            listeners=[listener, watch_training], max_parallel=profile.local.parallel,
        )  # fmt: skip
        shutil.copyfile(ir, result.folder / "pipeline.yaml")  # what was run, beside what came of it
    return result, conclude(result)


def explain_here(profile: Profile, source: str) -> list[Verdict]:
    """Say of each step whether `train_here` would run it, and why."""
    parameters = parameters_here(profile, source)
    with _compiled(profile) as ir:
        return explain(ir, parameters, store=Path(profile.local.store))


def parameters_here(profile: Profile, source: str) -> dict[str, Any]:
    """The run's parameters."""
    places = places_here(profile, source)
    return {**run_parameters(profile, source=source, registry=places["registry"]), "champion": champion(Path(places["registry"])), **places}


def places_here(profile: Profile, source: str) -> dict[str, str]:
    """Those of the run's parameters that say where something is; nothing is looked at.

    Checkpoints stay in the steps' own folders, where a later run finds them and `gc` too.
    """
    return {"source": source, "registry": str(Path(profile.local.registry).resolve()), "checkpoint_root": "."}


@contextmanager
def _compiled(profile: Profile) -> Iterator[Path]:
    """The compiled pipeline in a folder of its own: two runs at once may be of different profiles."""
    store = Path(profile.local.store)
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".compile-", dir=store) as folder:
        ir = Path(folder) / "pipeline.yaml"
        compile_training(profile, ir, moving_champion=False)
        yield ir
