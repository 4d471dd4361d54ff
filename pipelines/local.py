"""A training run on this machine: find the champion, compile the pipeline, execute it, and collect the outcome."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.compile import Chosen, compile_training, run_parameters, training_document
from pipelines.outcome import Outcome, collect_outcome, link_training_logs
from pipelines.profile.load import Profile
from pipelines.run.execution.executor import run_pipeline
from pipelines.run.execution.process import Runner
from pipelines.run.explain import Verdict, explain
from pipelines.run.record import Listener
from pipelines.run.result import RunResult
from robo_poet.commands import command
from robo_poet.deletion.records import check_no_interrupted_deletion
from robo_poet.deletion.suppression import list_digest
from robo_poet.local_folder import Address, absolute_address
from robo_poet.registry.names import BUNDLED_SOURCE, model_name
from robo_poet.registry.registry import NO_CHAMPION, Registry

READ_IN_STEP = ""  # value of the parameter `champion`: the steps read the registry themselves and report what is wrong


def champion(registry: Address, model: str) -> str:
    """Return the digest of the champion of a model in a registry, or `none` if there is no champion.

    Returns the empty text if the registry has version folders but no log of them: the log may be lost, so "no champion" is not certain.

    Raises:
        Corrupt: the log differs from what was written.
    """
    store = Registry(registry, model)
    if version := store.champion():
        return version.digest
    return READ_IN_STEP if store.unregistered_folders() else NO_CHAMPION


def train_here(
    profile: Profile, source: str, runner: Callable[[Mapping[str, Any]], Runner], listener: Listener,
    *, model: str = "", same_model: bool = False, chosen: Chosen | None = None, run_id: str | None = None,
    live_text: str = "",
) -> tuple[RunResult, Outcome]:  # fmt: skip
    """Run the pipeline to its end.

    Args:
        source: the user's corpus, an absolute path or a `gs://` address; empty for the bundled corpora.
        model: name of the model; empty for the name from the profile or the corpus.
        same_model: accept a corpus from another address as the same model.
        chosen: what the lineage says about profile and changed settings, and about what started the run.
        run_id: name of the run's folder; see `run_pipeline`.
        live_text: file of prompts with consent that is read beside the source, an absolute path; empty for none.
        runner: creates the runner from the run's parameters. It is called twice: first with the location parameters only, so that
            it can reject them early, then with all parameters.

    Raises:
        OtherSource: the model was trained on a corpus from another address, and `same_model` is not set. No step has run.
        BadInput: the profile, the source or the runner cannot be used. No step has run.
    """
    runner(locations_here(profile, source))  # first: a location that the runner cannot reach is rejected before its content is read
    parameters = parameters_here(
        profile, source, model, same_model=same_model, chosen=chosen, live_text=live_text
    )  # before any folder is created: a missing source leaves no folders
    step_runner = runner(parameters)  # these include warm_start, which the runner must reach too
    with _compiled(profile) as ir:
        result = run_pipeline(
            ir, parameters, store=Path(profile.local.store), runs=Path(profile.local.runs), runner=step_runner,
            listeners=[listener, link_training_logs], max_parallel=profile.local.parallel, run_id=run_id,
        )  # fmt: skip
        shutil.copyfile(ir, result.folder / "pipeline.yaml")  # keeps the compiled pipeline with its results
    return result, collect_outcome(result, parameters)


def explain_here(profile: Profile, source: str, model: str = "", chosen: Chosen | None = None, live_text: str = "") -> list[Verdict]:
    """Return, for each step, whether `train_here` would run it, and why. Writes nothing."""
    parameters = parameters_here(profile, source, model, same_model=True, chosen=chosen, live_text=live_text)
    document = training_document(profile, moving_champion=False)
    return explain(document, parameters, store=Path(profile.local.store))


def parameters_here(
    profile: Profile, source: str, model: str = "", *, same_model: bool = False, chosen: Chosen | None = None, live_text: str = ""
) -> dict[str, Any]:
    """Return all parameters of a run on this machine; see `train_here`. Refuses a run while an interrupted deletion is not finished."""
    check_no_interrupted_deletion(Path(profile.local.deletions), f"to finish it: {command('forget --yes')}")
    if not same_model:
        check_source_here(profile, source, model)
    locations = locations_here(profile, source)
    registry, name = locations["registry"], model_name(model, profile.model, source)
    return {
        **run_parameters(profile, source=source, registry=registry, model=name, same_model=same_model, chosen=chosen, live_text=live_text),
        "champion": champion(registry, name),
        "suppression_digest": list_digest(Path(profile.local.deletions)),
        **locations,
    }


def check_source_here(profile: Profile, source: str, model: str) -> None:
    """Raise OtherSource if the model was trained on a corpus from another address."""
    name = model_name(model, profile.model, source)
    Registry(profile.local.registry, name).check_source(source or BUNDLED_SOURCE, same_model=False)


def locations_here(profile: Profile, source: str) -> dict[str, str]:
    """Return the location parameters of a run: `source`, `suppression`, `registry` and `checkpoint_root`.

    `suppression` is empty while there is no list of deleted documents.

    Checkpoints stay in the working folders of the steps, where a later run and `gc` find them.
    """
    deletions = Path(profile.local.deletions)
    suppression = str(deletions.resolve()) if list_digest(deletions) else ""
    return {"source": source, "suppression": suppression, "registry": absolute_address(profile.local.registry), "checkpoint_root": "."}


@contextmanager
def _compiled(profile: Profile) -> Iterator[Path]:
    """Yield the path of the compiled pipeline. The folder is temporary: concurrent runs may use different profiles."""
    store = Path(profile.local.store)
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".compile-", dir=store) as folder:
        ir = Path(folder) / "pipeline.yaml"
        compile_training(profile, ir, moving_champion=False)
        yield ir
