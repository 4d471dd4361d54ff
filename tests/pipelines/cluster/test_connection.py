"""A connection that fails is one line that says what to do.

Covers: client, errors.
"""

import base64
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.cluster.client import connect, find_experiment
from pipelines.cluster.connection import find_connection
from pipelines.cluster.errors import Refused, Unreachable, response_error, unreachable_error
from pipelines.profile.load import Profile
from robo_poet.errors import BadInput
from tests.pipelines.cluster.conftest import TOKEN
from tests.pipelines.cluster.kubeflow_server import Kubeflow

Serve, Make = Callable[..., Kubeflow], Callable[..., Profile]


def reach(profile: Profile) -> str:
    """The experiment's id: connect, and ask for it."""
    return find_experiment(*connect(find_connection(profile.cluster)))


def line(profile: Profile, kind: type[BadInput] = BadInput) -> str:
    with pytest.raises(kind) as error:
        reach(profile)
    assert "\n" not in str(error.value) and TOKEN not in str(error.value) and TOKEN not in repr(error.value)
    return str(error.value)


def jwt(expires: float) -> str:
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, {"exp": expires}, {}))


def test_no_host(profile: Make) -> None:
    assert line(profile()) == "cluster.host: no cluster is set; set it in the profile, or set ROBO_POET_CLUSTER_HOST"


def test_nothing_listens(profile: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    began = time.monotonic()
    assert line(profile(f"cluster.host={address}"), Unreachable).startswith(
        f"{address}: cannot be reached: the connection was refused; check"
    )
    assert time.monotonic() - began < 5


def test_a_host_that_does_not_respond(profile: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.cluster.client.READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        assert "the connection timed out" in line(profile(f"cluster.host={address}"), Unreachable)


def test_a_token_that_is_refused(serve: Serve, profile: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(token=TOKEN)
    for token in ("", "another"):
        monkeypatch.setenv("ROBO_POET_CLUSTER_TOKEN", token)
        found = line(profile(f"cluster.host={server.address}"), Refused)
        assert found.startswith(f"{server.address}: the token was refused") and "set ROBO_POET_CLUSTER_TOKEN to a new token" in found


def test_an_expired_token_is_rejected_before_any_call(serve: Serve, profile: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    monkeypatch.setenv("ROBO_POET_CLUSTER_TOKEN", jwt(1_700_000_000))
    found = line(profile(f"cluster.host={server.address}"), Refused)
    assert found.startswith("ROBO_POET_CLUSTER_TOKEN: the token expired at 2023-11-14 22:13 UTC") and server.calls == []
    monkeypatch.setenv("ROBO_POET_CLUSTER_TOKEN", jwt(time.time() + 60))
    assert reach(profile(f"cluster.host={server.address}")) == "experiment-1"


def test_a_token_file_is_read_again_for_each_call(serve: Serve, profile: Make, tmp_path: Path) -> None:
    server, file = serve(token=TOKEN), tmp_path / "token"
    chosen = profile(f"cluster.host={server.address}", f"cluster.token_file={file}")
    assert line(chosen).startswith(f"{file}: the token cannot be read: no such file or directory")
    file.write_text("\n")
    assert line(chosen).startswith(f"{file}: the token file is empty")
    file.write_text(f"Bearer {TOKEN}")
    assert "give only the token" in line(chosen)
    file.write_text(f"{TOKEN}\n")
    client, connection = connect(find_connection(chosen.cluster))
    server.token = "renewed"
    file.write_text("renewed")
    assert find_experiment(client, connection) == "experiment-1"


@pytest.mark.parametrize(
    ("status", "body", "header", "words"),
    [
        (302, b"", ("Location", "/dex/auth"), "redirects with 302, probably to a login page"),
        (200, b"<html>Log in</html>", ("Content-Type", "text/html; charset=utf-8"), "returned an HTML page, not an API response"),
        (403, b"RBAC: access denied", ("Content-Type", "text/plain"), "the gateway in front of Kubeflow denied access"),
    ],
)
def test_responses_of_a_gateway(status: int, body: bytes, header: tuple[str, str], words: str, serve: Serve, profile: Make) -> None:
    server = serve()
    server.gateway = (status, body, header)
    assert words in line(profile(f"cluster.host={server.address}"), Refused)


def test_namespaces(serve: Serve, profile: Make) -> None:
    shared = serve(namespaces=("poets",))
    assert line(profile(f"cluster.host={shared.address}")).startswith("cluster.namespace: this Kubeflow is multi-user")
    found = line(profile(f"cluster.host={shared.address}", "cluster.namespace=prose"), Refused)
    assert (
        "not allowed in namespace prose: User 'me@example.com' is not authorized" in found
        and "set cluster.namespace to an existing namespace" in found
    )
    assert reach(profile(f"cluster.host={shared.address}", "cluster.namespace=poets")) == "experiment-1"
    alone = serve()  # has no namespaces, and must not be asked for one
    assert reach(profile(f"cluster.host={alone.address}", "cluster.namespace=poets")) == "experiment-1"


def test_experiments(serve: Serve, profile: Make) -> None:
    server = serve(namespaces=("poets",))
    chosen = profile(f"cluster.host={server.address}", "cluster.namespace=poets", "cluster.experiment=odes")
    assert line(chosen).startswith("experiment odes: there is no such experiment in namespace poets; create it")
    connected = connect(find_connection(chosen.cluster))
    made = find_experiment(*connected, create=True)
    assert find_experiment(*connected) == find_experiment(*connected, create=True) == made
    server.things["experiments"][made]["storage_state"] = "ARCHIVED"
    assert "is archived" in line(chosen)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, "RBAC: access denied", "the gateway in front of Kubeflow denied access: RBAC: access denied"),
        (503, "<html>no healthy upstream</html>", "responds with 503: Kubeflow is not running behind its gateway"),
        (500, '{"error":"a","message":"boom"}', "responds with 500: boom"),
        (404, "", "responds with 404: no reason given"),
        (400, json.dumps({"error_message": "x" * 500}), "…"),
    ],
)
def test_error_responses(status: int, body: str, words: str) -> None:
    found = response_error(status, body, host="https://k", namespace="")
    assert words in str(found) and len(str(found)) < 400 and found.status == status


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", "cluster.ca_file"),
        ("Failed to resolve 'k' ([Errno -2] Name or service not known)", "no such host"),
        ("Connection aborted", "the connection failed"),
    ],
)
def test_network_errors(reason: str, words: str) -> None:
    assert words in str(unreachable_error(reason, host="https://k"))


def test_a_wrong_environment(profile: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROBO_POET_CLUSTER_HOST", "kubeflow.example.org")
    assert line(profile()).startswith("ROBO_POET_CLUSTER_HOST: 'kubeflow.example.org' is not an HTTP address")
    assert "no such file" in line(profile("cluster.host=https://k", f"cluster.ca_file={tmp_path / 'ca.pem'}"))
