"""A training run on a cluster: compiled, uploaded once for each content, started (PIPE-1)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kfp

from pipelines.cluster.client import connect, quietly
from pipelines.cluster.connection import Connection, find_connection
from pipelines.cluster.experiment import find_experiment
from pipelines.cluster.readiness import Level, findings
from pipelines.cluster.version import ensure_version
from pipelines.compile import run_parameters
from pipelines.profile import Profile
from pipelines.training import NAME
from robo_poet.errors import BadInput


@dataclass(frozen=True)
class Submitted:
    """A run that was started.

    Attributes:
        run_id: by which Kubeflow knows it.
        address: where the UI shows it.
        version: name of the pipeline version, the digest of the YAML; `reused` if it had been uploaded before.
    """

    run_id: str
    address: str
    version: str
    reused: bool


def cluster_parameters(profile: Profile, *, source: str, moving_source: bool = False) -> dict[str, Any]:
    """All parameters of a run on a cluster; see `run_parameters`.

    Raises:
        BadInput: the source is on this machine, which no pod can read.
    """
    if source and "://" not in source:
        raise BadInput("is on this machine, and steps on a cluster cannot read it", where=source, remedy="copy it to gs://… and name that")
    return run_parameters(profile, source=source, registry=profile.cluster.registry, moving_source=moving_source)


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
        parameters: of `cluster_parameters`.
        name: of the run in the UI; default is the pipeline's name and the time (UTC).
        create_experiment: make the experiment if there is none of its name.
        connected: of `connect`, to use it again.

    Raises:
        BadInput: the profile lacks what a cluster needs, or there is no such experiment.
        ClusterError: unreachable, refused, or the cluster does not accept the run; says why.
    """
    refuse_unready(profile)
    client, connection = connected or connect(find_connection(profile.cluster))
    experiment = find_experiment(client, connection, create=create_experiment)
    version = ensure_version(client, connection, ir)
    with quietly():
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
    """Stop before anything is sent if the run could not work.

    Raises:
        BadInput: the first thing that is lacking.
    """
    for finding in findings(profile.cluster, find_connection(profile.cluster)):
        if finding.level is Level.lacking:
            raise BadInput(finding.what, where="cluster", remedy=finding.remedy or "`robo-poet cluster doctor` says more")
