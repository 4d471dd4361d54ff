"""Submit a run to a cluster: upload the compiled pipeline as a version, and start a run of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kfp

from pipelines.cluster.client import connect, find_experiment, name_filter, suppress_output
from pipelines.cluster.connection import Connection, find_connection
from pipelines.cluster.doctor import Severity, check_profile
from pipelines.cluster.errors import ClusterError
from pipelines.compile import Chosen, run_parameters, suppression_on_cluster
from pipelines.profile.load import Profile
from pipelines.training import NAME
from robo_poet.commands import command
from robo_poet.digest import digest_file
from robo_poet.errors import BadInput

NAME_LENGTH = 16  # of a version's name: as long as an image tag; Kubernetes allows 63
CONFLICT = 409


@dataclass(frozen=True)
class PipelineName:
    """Name and description of a pipeline on the cluster."""

    name: str
    about: str


ABOUT = "Corpus → validated, scrubbed → model → gates → registry → canary. A version's name is the digest of its YAML."
TRAINING = PipelineName(NAME, ABOUT)


@dataclass(frozen=True)
class PipelineVersion:
    """A pipeline version on the cluster. `reused` says that it had been uploaded before."""

    pipeline_id: str
    version_id: str
    name: str
    reused: bool


def ensure_version(client: kfp.Client, connection: Connection, ir: Path, named: PipelineName = TRAINING) -> PipelineVersion:
    """Return the pipeline version for the YAML file `ir`, with both of its documents. Upload it if the cluster does not have it.

    Concurrent calls return the same version.

    Raises:
        ClusterError: the version cannot be uploaded.
    """
    pipeline = _ensure_pipeline(client, connection, named)
    name = digest_file(ir)[:NAME_LENGTH]
    if version_id := _find_version(client, pipeline, name):
        return PipelineVersion(pipeline, version_id, name, reused=True)
    try:
        with suppress_output():
            uploaded = client.upload_pipeline_version(str(ir), pipeline_version_name=name, pipeline_id=pipeline)
    except ClusterError as error:
        if error.status == CONFLICT and (version_id := _find_version(client, pipeline, name)):
            return PipelineVersion(pipeline, version_id, name, reused=True)
        raise
    return PipelineVersion(pipeline, uploaded.pipeline_version_id, name, reused=False)


def _ensure_pipeline(client: kfp.Client, connection: Connection, named: PipelineName) -> str:
    if pipeline_id := _find_pipeline(client, connection, named.name):
        return pipeline_id
    # Do not use client.upload_pipeline: it also creates a first version, named after the pipeline.
    body = client.api_models.V2beta1Pipeline(
        name=named.name, display_name=named.name, description=named.about, namespace=connection.namespace or None
    )
    try:
        return str(client.pipelines.pipeline_service_create_pipeline(pipeline=body).pipeline_id)
    except ClusterError as error:
        if error.status == CONFLICT and (pipeline_id := _find_pipeline(client, connection, named.name)):
            return pipeline_id
        raise


def _find_pipeline(client: kfp.Client, connection: Connection, name: str) -> str:
    response = client.list_pipelines(namespace=connection.namespace or None, filter=name_filter(name))
    return str(response.pipelines[0].pipeline_id) if response.pipelines else ""


def _find_version(client: kfp.Client, pipeline: str, name: str) -> str:
    response = client.list_pipeline_versions(pipeline, filter=name_filter(name))
    return str(response.pipeline_versions[0].pipeline_version_id) if response.pipeline_versions else ""


@dataclass(frozen=True)
class Submitted:
    """A run that was started.

    Attributes:
        run_id: Kubeflow's id of the run.
        address: UI address of the run.
        version: name of the pipeline version, the first 16 digits of the YAML's SHA-256.
        reused: whether the version had been uploaded before.
    """

    run_id: str
    address: str
    version: str
    reused: bool


def cluster_parameters(
    profile: Profile, *, source: str, model: str = "", same_model: bool = False, moving_source: bool = False, chosen: Chosen | None = None
) -> dict[str, Any]:
    """Return all parameters of a run on a cluster; see `run_parameters`.

    Raises:
        BadInput: the source is a local path, which pods cannot read, or pods cannot read the list of deleted documents, or the run is to
            start with a version's weights.
    """
    if source and "://" not in source:
        remedy = "copy it to gs://… and give that address"
        raise BadInput("a local path, which steps on a cluster cannot read", where=source, remedy=remedy)
    suppression = suppression_on_cluster(profile, moving_source=moving_source)
    if number := profile.train.warm_start:
        remedy = "use RUNNER=process or RUNNER=docker, or train.warm_start=0"
        raise BadInput("a run on a cluster cannot start with the weights of a version", where=f"train.warm_start={number}", remedy=remedy)
    parameters = run_parameters(
        profile, source=source, registry=profile.cluster.registry, model=model, same_model=same_model, moving_source=moving_source,
        chosen=chosen,
    )  # fmt: skip
    return parameters | suppression


def submit_training(
    profile: Profile,
    ir: Path,
    parameters: Mapping[str, Any],
    *,
    name: str = "",
    create_experiment: bool = False,
    connected: tuple[kfp.Client, Connection] | None = None,
) -> Submitted:
    """Start a run of the compiled pipeline `ir`.

    Args:
        parameters: from `cluster_parameters`.
        name: name of the run in the UI; the default is the pipeline's name and the time (UTC).
        create_experiment: create the experiment if it does not exist.
        connected: result of `connect`, to reuse a connection.

    Raises:
        BadInput: the profile is not ready for a cluster, or there is no such experiment.
        ClusterError: the cluster is unreachable or rejects a call; gives the reason.
    """
    refuse_unready(profile)
    client, connection = connected or connect(find_connection(profile.cluster))
    experiment = find_experiment(client, connection, create=create_experiment)
    version = ensure_version(client, connection, ir)
    with suppress_output():
        run = client.run_pipeline(
            experiment_id=experiment,
            job_name=name or f"{NAME} {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())}",
            pipeline_id=version.pipeline_id,
            version_id=version.version_id,
            params=dict(parameters),
            pipeline_root=connection.pipeline_root or None,
            service_account=profile.cluster.service_account or None,
        )
    return Submitted(run.run_id, connection.run_address(run.run_id), version.name, version.reused)


def refuse_unready(profile: Profile) -> None:
    """Check the settings of the profile before anything is sent.

    Raises:
        BadInput: a setting that a run needs is missing; the message names the first one.
    """
    for finding in check_profile(profile.cluster, find_connection(profile.cluster)):
        if finding.severity is Severity.problem:
            raise BadInput(finding.what, where="cluster", remedy=finding.remedy or f"for details: {command('cluster doctor')}")
