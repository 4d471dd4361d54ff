"""The KFP client of a cluster: an HTTP transport that raises readable errors, and the lookup of the experiment."""

import contextlib
import io
import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import kfp
import kfp_server_api
import urllib3
from kfp_server_api import ApiClient, ApiException
from kfp_server_api.rest import RESTClientObject

from pipelines.cluster.connection import PREFIX, Connection
from pipelines.cluster.errors import TOKEN_REMEDY, ClusterError, Refused, response_error, unreachable_error
from robo_poet.errors import BadInput

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0


class Transport(RESTClientObject):
    """An HTTP transport for the generated KFP client. It raises every failure as `ClusterError`."""

    def __init__(self, connection: Connection, configuration: Any) -> None:
        # No retry and no redirect: a retried POST could start a second run, and a redirect leads to a login page.
        configuration.retries = urllib3.Retry(0, raise_on_redirect=False)
        super().__init__(configuration)
        self._connection = connection

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send one request; see the base class."""
        options["_request_timeout"] = options.get("_request_timeout") or (CONNECT_SECONDS, READ_SECONDS)
        host = self._connection.host
        try:
            response = super().request(method, url, **options)
        except urllib3.exceptions.HTTPError as error:
            raise unreachable_error(str(getattr(error, "reason", None) or error), host=host) from None
        except ApiException as error:
            raise self._explained(error) from None
        if "html" in (response.getheader("content-type") or ""):
            raise Refused(
                "returned an HTML page, not an API response: a login page, or another service", where=host,
                remedy=f"{TOKEN_REMEDY}; or correct cluster.host, which often ends in /pipeline",
            )  # fmt: skip
        return response

    def _explained(self, error: Any) -> ClusterError:
        if not error.status:
            return unreachable_error(str(error.reason), host=self._connection.host)
        body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else error.body or ""
        return response_error(error.status, body, host=self._connection.host, namespace=self._connection.namespace)


def install(connection: Connection, api_client: ApiClient) -> None:
    """Install the transport in a generated API client, for all services that share the client."""
    api_client.rest_client = Transport(connection, api_client.configuration)


def connect(connection: Connection) -> tuple[kfp.Client, Connection]:
    """Return a client that has reached Kubeflow, and the connection. A single-user Kubeflow has no namespaces, so that one is empty.

    Raises:
        BadInput: no host is set, or no namespace is set for a multi-user Kubeflow.
        ClusterError: Kubeflow is unreachable or rejects the token.
    """
    if not connection.host:
        raise BadInput("no cluster is set", where="cluster.host", remedy=f"set it in the profile, or set {PREFIX}HOST")
    shared = is_shared(connection)
    if shared and not connection.namespace:
        remedy = f"set it in the profile, or set {PREFIX}NAMESPACE"
        raise BadInput("this Kubeflow is multi-user, and no namespace is set", where="cluster.namespace", remedy=remedy)
    if not shared:
        connection = replace(connection, namespace="")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # only says that the client needs KFP 2
        client = kfp.Client(host=connection.host, ui_host=connection.ui, **_credentials(connection), **_namespace(connection))
    install(connection, client.runs.api_client)  # all services of the client share this API client
    return client, connection


def is_shared(connection: Connection) -> bool:
    """Return whether Kubeflow is multi-user, with a namespace per user. Sends the token, as a gateway may require it."""
    configuration = kfp_server_api.Configuration(host=connection.host)
    configuration.ssl_ca_cert = str(connection.ca_file) if connection.ca_file else None
    if connection.token:
        connection.token.refresh_api_key_hook(configuration)
    api = kfp_server_api.ApiClient(configuration)
    install(connection, api)
    return bool(kfp_server_api.HealthzServiceApi(api).healthz_service_get_healthz().multi_user)


def name_filter(name: str) -> str:
    """Return the filter of a list call for a display name, in the JSON form of KFP's filter.proto."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


@contextlib.contextmanager
def suppress_output() -> Iterator[None]:
    """Suppress the lines that `kfp.Client` prints. Our commands print this information themselves."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _credentials(connection: Connection) -> dict[str, Any]:
    return {
        "credentials": connection.token if connection.token else None,
        "ssl_ca_cert": str(connection.ca_file) if connection.ca_file else None,
    }


def _namespace(connection: Connection) -> dict[str, str]:
    return {"namespace": connection.namespace} if connection.namespace else {}


EXPERIMENT_REMEDY = f"create it in the Kubeflow UI or with --create-experiment; or set cluster.experiment or {PREFIX}EXPERIMENT to another"


def find_experiment(client: kfp.Client, connection: Connection, *, create: bool = False) -> str:
    """Return the id of the connection's experiment.

    Args:
        create: create the experiment if it does not exist.

    Raises:
        BadInput: no such experiment, or it is archived.
        ClusterError: the token is rejected or has no access to the namespace.
    """
    name = connection.experiment
    experiments = client.list_experiments(namespace=connection.namespace, filter=name_filter(name)).experiments or []
    if not experiments and create:
        with suppress_output():
            return str(client.create_experiment(name, namespace=connection.namespace).experiment_id)
    if not experiments:
        scope = f" in namespace {connection.namespace}" if connection.namespace else ""
        raise BadInput(f"there is no such experiment{scope}", where=f"experiment {name}", remedy=EXPERIMENT_REMEDY)
    if experiments[0].storage_state == "ARCHIVED":
        raise BadInput(
            "is archived", where=f"experiment {name}", remedy="restore it in the Kubeflow UI, or set cluster.experiment to another"
        )
    return str(experiments[0].experiment_id)
