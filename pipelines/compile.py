"""Compile the training pipeline of a profile to the IR YAML for Kubeflow, and compute the parameters of a run."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp import compiler
from kfp.compiler import pipeline_spec_builder

from pipelines.corpus_schema import read_schema_file
from pipelines.images.programs import image
from pipelines.placement import SUPPRESSION_FOLDER, Placement
from pipelines.profile.load import Profile, load_profile
from pipelines.profile.remedies import remedies
from pipelines.prompt_snapshot import names_a_file, resolve_snapshot
from pipelines.steps import GROUPS, TRAINING_STEPS
from pipelines.training import training_pipeline
from robo_poet.atomic import new_file
from robo_poet.commands import command
from robo_poet.corpus.source import check_live_text, open_live_text
from robo_poet.corpus.source_digest import source_digest
from robo_poet.deletion.records import check_no_interrupted_deletion
from robo_poet.deletion.suppression import list_digest
from robo_poet.digest import digest_bytes, digest_path
from robo_poet.errors import BadInput
from robo_poet.local_folder import is_bucket
from robo_poet.process import user_name
from robo_poet.registry.names import BUNDLED_SOURCE, model_name
from robo_poet.registry.registry import Registry
from robo_poet.report.lineage_rows import changed_values

NO_LIVE_TEXT = {"live_text": "", "live_text_digest": ""}
NO_SUPPRESSION = {"suppression": "", "suppression_digest": ""}  # of a run without a list of deleted documents


def suppression_on_cluster(profile: Profile, *, moving_source: bool = False) -> dict[str, str]:
    """Return the run parameters `suppression` and `suppression_digest` of a run on a cluster (DATA-4).

    Its pods read the list from a secret, because keyed digests protect nobody if the key is a parameter that everyone can see. The step
    stops if the secret has another list than this machine.

    Args:
        moving_source: accept the list that the secret has when the run starts, as a schedule does.

    Raises:
        BadInput: this machine has a list, and the profile names no secret with it; or a deletion was interrupted.
    """
    deletions = Path(profile.local.deletions)
    check_no_interrupted_deletion(deletions, f"to finish it: {command('forget --yes')}")
    digest = list_digest(deletions)
    if profile.cluster.deletions_secret:
        return {"suppression": SUPPRESSION_FOLDER, "suppression_digest": "" if moving_source else digest}
    if digest:
        what = "documents were deleted on request, and a run on the cluster would read them again"
        remedy = "make a secret of the list, and set cluster.deletions_secret (docs/how-to/delete-personal-data.md)"
        raise BadInput(what, where=str(deletions), remedy=remedy)
    return NO_SUPPRESSION


def warm_start(number: int, registry: str, model: str) -> dict[str, str]:
    """Return the run parameters `warm_start` (the version's `model` folder) and `warm_start_digest`; both are empty for number 0.

    Raises:
        NoSuchVersion: no version has this number.
        Corrupt: the version's files differ from what was registered.
        BadInput: the registry is not on this machine, or the version has no Keras model.
    """
    if not number:
        return {"warm_start": "", "warm_start_digest": ""}
    if not is_bucket(registry) and not Path(registry).is_dir():
        remedy = "a warm start reads the version when the run is submitted: use RUNNER=process or RUNNER=docker, or train.warm_start=0"
        where = f"train.warm_start={number}: {registry or '(none)'}"
        raise BadInput("the registry is not a folder on this machine", where=where, remedy=remedy)
    version = Registry(registry, model).version(number)
    version.verify()
    folder = version.folder / "model"
    if not (folder / "keras" / "model.keras").is_file():
        remedy = "choose a version that contains model/keras/model.keras, as all newer versions do"
        raise BadInput("this version has no Keras model to start from", where=f"train.warm_start={number}: {folder}", remedy=remedy)
    return {"warm_start": str(folder.resolve()), "warm_start_digest": digest_path(folder)}


def compile_training(profile: Profile, target: Path, *, moving_source: bool = False, moving_champion: bool = True) -> None:
    """Write the IR YAML of the training pipeline to `target`. The profile's settings become the defaults of its parameters.

    Args:
        moving_source, moving_champion: see `training_pipeline`.

    Raises:
        BadInput: the profile sets resources or secrets for a step that does not exist.
    """
    write_ir(*_pipeline(profile, moving_source=moving_source, moving_champion=moving_champion), target)


def write_ir(pipeline: Any, defaults: Mapping[str, Any], target: Path) -> None:
    """Write the IR YAML of a KFP pipeline with the defaults of its parameters."""
    with new_file(target) as temporary:
        yaml = temporary.with_suffix(".yaml")
        try:
            compiler.Compiler().compile(pipeline, str(yaml), pipeline_parameters=dict(defaults))
            yaml.replace(temporary)
        finally:
            yaml.unlink(missing_ok=True)


def training_document(profile: Profile, *, moving_champion: bool) -> dict[str, Any]:
    """Return the first document of the IR that `compile_training` writes, without writing a file.

    Raises:
        BadInput: see `compile_training`.
    """
    pipeline, defaults = _pipeline(profile, moving_source=False, moving_champion=moving_champion)
    spec = pipeline_spec_builder.modify_pipeline_spec_with_override(pipeline.pipeline_spec, None, defaults)
    return dict(json_format.MessageToDict(spec))


def check_step_names(profile: Profile) -> None:
    """Raise BadInput if the profile sets resources or secrets for a step that does not exist."""
    secret_steps = [(f"cluster.secrets: {secret.name}", step) for secret in profile.cluster.secrets for step in secret.steps]
    for where, step in [*((f"cluster.resources.{step}", step) for step in sorted(profile.cluster.resources)), *secret_steps]:
        if step not in GROUPS:
            raise BadInput(f"no such step: {step}", where=where, remedy=f"the steps are {', '.join(GROUPS)}")


def _pipeline(profile: Profile, *, moving_source: bool, moving_champion: bool) -> tuple[Any, dict[str, Any]]:
    """Return the training pipeline of KFP, and the defaults of its parameters."""
    check_step_names(profile)
    pipeline = training_pipeline(Placement(profile.cluster, profile.beam), moving_source=moving_source, moving_champion=moving_champion)
    defaults = {key: value for key, value in settings_parameters(profile).items() if value != {}}
    # Defaults for a run started in the Kubeflow UI: bundled corpus, no warm start, champion read from the registry at run time
    defaults |= dict.fromkeys(("source", "source_digest", "warm_start", "warm_start_digest", "champion"), "")
    defaults |= NO_SUPPRESSION | NO_LIVE_TEXT
    if profile.cluster.deletions_secret:  # if the list changes later, the step refuses the run, and the pipeline is compiled again
        defaults |= {"suppression": SUPPRESSION_FOLDER, "suppression_digest": list_digest(Path(profile.local.deletions))}
    defaults |= {
        "schema": read_schema_file(profile.validation.schema_file),
        "prompts": _snapshot_of_file(profile)[0],
        "model_name": model_name("", profile.model, ""),
        "same_model": 0,
    }
    if profile.cluster.registry:
        defaults["registry"] = profile.cluster.registry
    return pipeline, defaults


def settings_parameters(profile: Profile) -> dict[str, Any]:
    """Return the run parameters that depend only on the profile."""
    sections = {
        name: getattr(profile, name).model_dump(mode="json")
        for name in ("ingest", "validation", "scrub", "beam", "tokenizer", "train", "evaluate", "text", "audit", "compare", "slices")
    }  # fmt: skip
    if text := read_schema_file(profile.validation.schema_file):
        sections["validation"]["schema_file"] = digest_bytes(text.encode())  # a path of this machine is not part of a run
    if digest := _snapshot_of_file(profile)[1]:
        sections["validation"]["prompt_snapshot"] = digest
    sections["secrets"] = sections["audit"]["secrets"]
    gates = [gate.to_json() for gate in profile.gates]
    advice = asdict(remedies(profile))
    return {**sections, "gates": gates, "remedies": advice, "seed": profile.seed, "checkpoint_root": profile.cluster.checkpoint_root}


def _snapshot_of_file(profile: Profile) -> tuple[str, str]:
    """Return text and digest of the snapshot of prompts if the profile names a file. Other names need the model of the run."""
    name = profile.validation.prompt_snapshot
    return resolve_snapshot(name, Path(), "") if names_a_file(name) else ("", "")


@dataclass(frozen=True)
class Chosen:
    """What the user chose, for the lineage: so a reader sees what is special about a run.

    Args:
        profile: name of the profile; of a file, its name without folder and `.yaml`.
        changed: dotted key → value of each setting that differs from the profile file: by `--set`, or by `auto`.
        trigger: what started the run, if it was a program: cause, alert and window of a drift (MON-4). Only the last steps read the
            lineage, so what started a run changes no result of the other steps in the cache.
    """

    profile: str = ""
    changed: Mapping[str, Any] = field(default_factory=dict)
    trigger: Mapping[str, Any] = field(default_factory=dict)


def chosen_settings(name: str, profile: Profile) -> Chosen:
    """Return what differs between the settings of a run and the profile that the user named.

    Args:
        name: the profile as typed, a name or the path of a `.yaml` file.
        profile: the settings of the run.

    Raises:
        BadInput: there is no such profile.
    """
    base = load_profile(name).profile
    return Chosen(Path(name).stem, changed_values(settings_parameters(profile), settings_parameters(base)))


def _check_described(profile: Profile, source: str, digest: str) -> None:
    """Refuse a corpus whose content is not the one that the profile was written for.

    Raises:
        BadInput: the digests differ.
    """
    described = profile.described
    if described.digest and described.digest != digest:
        if not source:
            other = f"no CORPUS is given, and the profile was written for {described.corpus}"
            raise BadInput(other, where="CORPUS", remedy="give this corpus, or remove `described` from the profile")
        again = f"{command(f'data describe {shlex.quote(source)}')} {described.arguments}".rstrip()
        raise BadInput(
            f"the corpus changed since it was described (digest was {described.digest[:12]}, is {digest[:12]})",
            where=source,
            remedy=f"describe it again: {again}",
        )


def run_parameters(
    profile: Profile, *, source: str, registry: str, model: str = "", same_model: bool = False, moving_source: bool = False,
    chosen: Chosen | None = None, live_text: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Return all parameters of a run that is submitted now. `champion` is empty: the step reads it from the registry.

    Args:
        source: folder, file or `gs://` address of the user's corpus; empty for the bundled corpora.
        model: name of the model; empty for the name from the profile or the corpus.
        same_model: accept a source from another address as the same model.
        moving_source: read the source when the run starts; do not pin its current digest.
        chosen: what the lineage says about profile and changed settings; None says nothing.
        live_text: file of prompts with consent that is read beside the source; empty for none. The lineage says that it was used.

    Raises:
        BadInput: the source, the live text, the warm-start version or the snapshot of prompts cannot be read, or the profile was written
            for another content of the source.
    """
    name = model_name(model, profile.model, source)
    settings = settings_parameters(profile)
    # The snapshots are on this machine, also if the registry of the run is not
    prompts, settings["validation"]["prompt_snapshot"] = resolve_snapshot(
        profile.validation.prompt_snapshot, Path(profile.local.registry), name
    )
    # The lineage contains digests, but no paths or times, so the same inputs and code give the same lineage and the same version.
    placement = Placement(profile.cluster, profile.beam)
    code = {step.name: image(step.name, "", placement.group(step.name)).rsplit(":", 1)[-1] for step in TRAINING_STEPS}
    digest = "" if moving_source else source_digest(source)
    if not moving_source:
        _check_described(profile, source, digest)
    settings_of_lineage = {name: value for name, value in settings.items() if name != "remedies"}  # they follow from the other settings
    source_name = Path(source).name if source else BUNDLED_SOURCE
    lineage = {"model": name, "source": source_name, "source_digest": digest, "code": code, "settings": settings_of_lineage}
    if chosen:
        lineage |= {"profile": chosen.profile, "changed": dict(chosen.changed)}
        lineage |= {"trigger": dict(chosen.trigger)} if chosen.trigger else {}
    live = NO_LIVE_TEXT
    if live_text:
        check_live_text(live_text)
        live = {"live_text": live_text, "live_text_digest": source_digest(live_text)}
        documents = sum(1 for _ in open_live_text(live_text, live["live_text_digest"]).documents())
        lineage |= {"live_text": {"digest": live["live_text_digest"], "documents": documents}}
    warm_start_parameters = warm_start(profile.train.warm_start, registry, name)
    return {
        **settings,
        "schema": read_schema_file(profile.validation.schema_file),
        "prompts": prompts,
        **warm_start_parameters,
        **NO_SUPPRESSION,
        **live,
        "champion": "",
        "source": source,
        "source_digest": digest,
        "registry": registry,
        "model_name": name,
        "same_model": int(same_model),
        "lineage": lineage,
        "who": user_name(),
    }
