"""The HTTP under the KFP client, with limits of time and errors that a person can read.

The generated client waits for ever, follows a gateway to its login page and takes that for an answer, and lets urllib3's errors through.
"""

from typing import Any

import urllib3
from kfp_server_api import ApiClient, ApiException
from kfp_server_api.rest import RESTClientObject

from pipelines.cluster.connection import Connection
from pipelines.cluster.errors import TOKEN_REMEDY, ClusterError, Refused, no_answer, refusal

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0


class Transport(RESTClientObject):
    """Replaces the generated client's HTTP; raises `ClusterError` and nothing else."""

    def __init__(self, connection: Connection, configuration: Any) -> None:
        # No retry and no redirect: a retried POST could start a second run, and a redirect leads to a login page.
        configuration.retries = urllib3.Retry(0, raise_on_redirect=False)
        super().__init__(configuration)
        self._connection = connection

    def request(self, method: str, url: str, **options: Any) -> Any:
        """One call; see the base class."""
        options["_request_timeout"] = options.get("_request_timeout") or (CONNECT_SECONDS, READ_SECONDS)
        host = self._connection.host
        try:
            answer = super().request(method, url, **options)
        except urllib3.exceptions.HTTPError as error:
            raise no_answer(str(getattr(error, "reason", None) or error), host=host) from None
        except ApiException as error:
            raise self._explained(error) from None
        if "html" in (answer.getheader("content-type") or ""):
            raise Refused(
                "answers with a page and not as an API: a login, or the address of another service", where=host,
                remedy=f"{TOKEN_REMEDY}; or correct cluster.host, which often ends in /pipeline",
            )  # fmt: skip
        return answer

    def _explained(self, error: Any) -> ClusterError:
        if not error.status:
            return no_answer(str(error.reason), host=self._connection.host)
        body = error.body.decode("utf-8", "replace") if isinstance(error.body, bytes) else error.body or ""
        return refusal(error.status, body, host=self._connection.host, namespace=self._connection.namespace)


def install(connection: Connection, api_client: ApiClient) -> None:
    """Put the transport under a generated API client, and so under all services that share it."""
    api_client.rest_client = Transport(connection, api_client.configuration)
