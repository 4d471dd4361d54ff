"""A `kfp.Client` for the cluster that a profile and the environment name."""

import contextlib
import io
import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import kfp
import kfp_server_api

from pipelines.cluster.connection import PREFIX, Connection
from pipelines.cluster.transport import install
from robo_poet.errors import BadInput


def connect(connection: Connection) -> tuple[kfp.Client, Connection]:
    """A client, proven to reach Kubeflow; and the connection without its namespace where Kubeflow has but one user and knows none.

    Raises:
        BadInput: nobody named a host, or Kubeflow has many users and nobody named a namespace.
        ClusterError: unreachable, or the token is refused.
    """
    if not connection.host:
        raise BadInput("no cluster is named", where="cluster.host", remedy=f"set it in the profile, or {PREFIX}HOST")
    shared = is_shared(connection)
    if shared and not connection.namespace:
        raise BadInput(
            "this Kubeflow has many users, and no namespace is named", where="cluster.namespace", remedy=f"set it, or {PREFIX}NAMESPACE"
        )
    if not shared:
        connection = replace(connection, namespace="")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # says that it needs KFP 2
        client = kfp.Client(host=connection.host, ui_host=connection.pages, **_authority(connection), **_namespace(connection))
    install(connection, client.runs.api_client)  # all services share it
    return client, connection


def is_shared(connection: Connection) -> bool:
    """Whether Kubeflow has many users, each in a namespace of their own. The token goes along: a gateway may ask for it."""
    configuration = kfp_server_api.Configuration(host=connection.host)
    configuration.ssl_ca_cert = str(connection.ca_file) if connection.ca_file else None
    if connection.token:
        connection.token.refresh_api_key_hook(configuration)
    api = kfp_server_api.ApiClient(configuration)
    install(connection, api)
    return bool(kfp_server_api.HealthzServiceApi(api).healthz_service_get_healthz().multi_user)


def named(name: str) -> str:
    """The filter of a list call for a display name (KFP's filter.proto)."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without the lines that `kfp.Client` prints of its own accord; we say the same in ours."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _authority(connection: Connection) -> dict[str, Any]:
    return {
        "credentials": connection.token if connection.token else None,
        "ssl_ca_cert": str(connection.ca_file) if connection.ca_file else None,
    }


def _namespace(connection: Connection) -> dict[str, str]:
    return {"namespace": connection.namespace} if connection.namespace else {}
