"""From a profile to the compiled pipeline and the parameters of a run: the same YAML for this machine and for a cluster (PIPE-1)."""

import getpass
from pathlib import Path
from typing import Any

from kfp import compiler

from pipelines.code_digest import image
from pipelines.placement import Placement
from pipelines.profile import Profile
from pipelines.steps import GROUPS
from pipelines.training import training_pipeline
from robo_poet.atomic import new_file
from robo_poet.corpus.source_digest import source_digest
from robo_poet.errors import BadInput


def compile_training(profile: Profile, target: Path) -> None:
    """Write the IR YAML of the training pipeline to `target`, with the profile's settings as defaults of its parameters."""
    unknown = set(profile.cluster.resources) - set(GROUPS)
    if unknown:
        raise BadInput("no such step", where=f"cluster.resources.{min(unknown)}", remedy=f"the steps are {', '.join(GROUPS)}")
    with new_file(target) as beside:
        yaml = beside.with_suffix(".yaml")
        try:
            pipeline = training_pipeline(Placement(profile.cluster))
            defaults = {key: value for key, value in settings_parameters(profile).items() if value != {}}
            compiler.Compiler().compile(pipeline, str(yaml), pipeline_parameters=defaults)
            yaml.replace(beside)
        finally:
            yaml.unlink(missing_ok=True)


def settings_parameters(profile: Profile) -> dict[str, Any]:
    """The run parameters that the profile alone decides."""
    sections = {
        name: getattr(profile, name).model_dump(mode="json")
        for name in ("ingest", "validation", "scrub", "tokenizer", "train", "evaluate")
    }  # fmt: skip
    gates = [gate.model_dump(mode="json", exclude_none=True) for gate in profile.gates]
    return {**sections, "gates": gates, "seed": profile.seed, "checkpoint_root": profile.cluster.checkpoint_root}


def run_parameters(profile: Profile, *, source: str, registry: str) -> dict[str, Any]:
    """All parameters of a run submitted now.

    Args:
        source: folder, file or `gs://` address of the reader's own corpus; empty for the bundled one.

    Raises:
        BadInput: the source cannot be read.
    """
    settings = settings_parameters(profile)
    # What made the version, by content: the same inputs and code give the same lineage, and so the same version.
    code = {step: image(step, "").rsplit(":", 1)[-1] for step in GROUPS}
    digest = source_digest(source)
    lineage = {"source": Path(source).name if source else "bundled", "source_digest": digest, "code": code, "settings": settings}
    return {**settings, "source": source, "source_digest": digest, "registry": registry, "lineage": lineage, "who": getpass.getuser()}
