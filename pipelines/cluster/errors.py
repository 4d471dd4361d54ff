"""Errors of a cluster's API. Each becomes a one-line message with a remedy."""

import json

from robo_poet.errors import BadInput

TOKEN_REMEDY = "set ROBO_POET_CLUSTER_TOKEN to a new token, or ROBO_POET_CLUSTER_TOKEN_FILE to a file that is renewed"


class ClusterError(BadInput):
    """A failed API call. `status` is the HTTP status, 0 if there was no response."""

    status = 0


class Unreachable(ClusterError):
    """No response, or none from Kubeflow itself. A retry may succeed."""


class Refused(ClusterError):
    """The token is missing, expired or rejected, or its owner lacks a permission."""


def response_error(status: int, body: str, *, host: str, namespace: str) -> ClusterError:
    """Return the error for a response that is not 2xx.

    Args:
        status: HTTP status.
        body: body of the response. Kubeflow sends JSON; a gateway in front of it may send any format.
    """
    reason = response_reason(body)
    error: ClusterError
    if status == 401:
        error = Refused(f"the token was refused: {reason or 'it has expired, or is for another host'}", where=host, remedy=TOKEN_REMEDY)
    elif status == 403 and body.lstrip().startswith("{"):
        scope = f"in namespace {namespace}" if namespace else "without a namespace"
        error = Refused(
            f"not allowed {scope}: {reason}", where=host,
            remedy="set cluster.namespace to an existing namespace that the token's owner has access to",
        )  # fmt: skip
    elif status == 403:
        error = Refused(f"the gateway in front of Kubeflow denied access: {reason}", where=host, remedy=TOKEN_REMEDY)
    elif 300 <= status < 400:
        error = Refused(f"redirects with {status}, probably to a login page", where=host, remedy=f"{TOKEN_REMEDY}; or correct cluster.host")
    elif status in (502, 503, 504):
        error = Unreachable(
            f"responds with {status}: Kubeflow is not running behind its gateway", where=host, remedy="try again in a minute"
        )
    else:
        error = ClusterError(f"responds with {status}: {reason or 'no reason given'}", where=host)
    error.status = status
    return error


def unreachable_error(reason: str, *, host: str) -> Unreachable:
    """Return the error for a host that gave no response. `reason` is the text of the network error."""
    lowered = reason.lower()
    if "certificate" in lowered or "ssl" in lowered:
        problem, remedy = "its certificate is not trusted", "set cluster.ca_file to its CA certificate, or check http or https"
    elif "refused" in lowered:
        problem, remedy = "the connection was refused", "check cluster.host, and that kubectl port-forward is running if you use it"
    elif "timed out" in lowered or "timeout" in lowered:
        problem, remedy = "the connection timed out", "check cluster.host, the VPN and the proxy"
    elif "resolve" in lowered or "name or service" in lowered or "getaddrinfo" in lowered:
        problem, remedy = "no such host", "check cluster.host"
    else:
        problem, remedy = f"the connection failed ({reason[:120]})", "check cluster.host, then try again"
    return Unreachable(f"cannot be reached: {problem}", where=host, remedy=remedy)


def response_reason(body: str) -> str:
    """Return the reason from a response body, as one line. A long text keeps its last 240 characters: Go puts the cause last."""
    try:
        data = json.loads(body)
    except ValueError:
        text = "" if "<" in body else body  # an HTML page has no usable reason
    else:
        fields = data if isinstance(data, dict) else {}
        text = str(fields.get("error_message") or fields.get("message") or fields.get("error") or "")
    line = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return line if len(line) <= 240 else "… " + line[-240:]
