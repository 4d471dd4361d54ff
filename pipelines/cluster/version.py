"""The compiled pipeline on the cluster: a pipeline of a fixed name, and in it a version for each content, named after that content."""

from dataclasses import dataclass
from pathlib import Path

import kfp

from pipelines.cluster.client import named, quietly
from pipelines.cluster.connection import Connection
from pipelines.cluster.errors import ClusterError
from pipelines.training import NAME
from robo_poet.digest import digest_file

NAME_LENGTH = 16  # of a version: as long as an image's tag; Kubernetes allows 63
CONFLICT = 409
ABOUT = "Corpus → validated, scrubbed → model → gates → registry → canary. A version's name is the digest of its YAML."


@dataclass(frozen=True)
class Version:
    """A pipeline version on the cluster; `reused` if it was there before."""

    pipeline_id: str
    version_id: str
    name: str
    reused: bool


def ensure_version(client: kfp.Client, connection: Connection, ir: Path) -> Version:
    """The version that holds the YAML `ir`, both of its documents; uploaded unless it is there. Two callers at once get the same.

    Raises:
        ClusterError: it cannot be uploaded.
    """
    pipeline = _ensure_pipeline(client, connection)
    name = digest_file(ir)[:NAME_LENGTH]
    if found := _find_version(client, pipeline, name):
        return Version(pipeline, found, name, reused=True)
    try:
        with quietly():
            made = client.upload_pipeline_version(str(ir), pipeline_version_name=name, pipeline_id=pipeline)
    except ClusterError as error:
        if error.status == CONFLICT and (found := _find_version(client, pipeline, name)):
            return Version(pipeline, found, name, reused=True)
        raise
    return Version(pipeline, made.pipeline_version_id, name, reused=False)


def _ensure_pipeline(client: kfp.Client, connection: Connection) -> str:
    if found := _find_pipeline(client, connection):
        return found
    # Not client.upload_pipeline: it makes a first version as well, named after the pipeline.
    body = client.api_models.V2beta1Pipeline(name=NAME, display_name=NAME, description=ABOUT, namespace=connection.namespace or None)
    try:
        return str(client.pipelines.pipeline_service_create_pipeline(pipeline=body).pipeline_id)
    except ClusterError as error:
        if error.status == CONFLICT and (found := _find_pipeline(client, connection)):
            return found
        raise


def _find_pipeline(client: kfp.Client, connection: Connection) -> str:
    answer = client.list_pipelines(namespace=connection.namespace or None, filter=named(NAME))
    return str(answer.pipelines[0].pipeline_id) if answer.pipelines else ""


def _find_version(client: kfp.Client, pipeline: str, name: str) -> str:
    answer = client.list_pipeline_versions(pipeline, filter=named(name))
    return str(answer.pipeline_versions[0].pipeline_version_id) if answer.pipeline_versions else ""
