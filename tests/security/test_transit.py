"""Attacks on the connection between gateway and model server. Each is refused: 503 for clients, and the reason in /readyz."""

import asyncio
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from robo_poet.errors import BadInput
from robo_poet.model_server import client_context
from robo_poet.settings.serve import ServeSettings
from serving.gateway.backend.model_client import ModelClient
from serving.model_server.tls import read_tls
from serving.refusal import Refused
from tests.certificates import Authority, ssl_config, written
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import listening, running

AUTHORITY, OTHER = Authority(), Authority()
PROMPT = {"prompt": np.asarray([[2, 5]], np.int32)}


async def answer(request: Request) -> Response:
    if request.method == "GET":
        return JSONResponse({"model_version_status": [{"version": "1", "state": "AVAILABLE"}]})
    return JSONResponse({"outputs": {"tokens": [[5]]}})


APP = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


@contextmanager
def model_server(folder: Path, certificate: tuple[str, str] | None, clients: str = "") -> Iterator[str]:
    """A server with the TLS settings of the embedded model server. Yield its address."""
    tls = read_tls(ssl_config(folder / "ssl.config", *certificate, clients)).context if certificate else None
    with listening(APP, "off", tls=tls) as address:
        yield address


def gateway_settings(folder: Path, address: str, **more: Any) -> ServeSettings:
    off = {"toxicity": {"prompt": "off", "completion": "off"}}
    return ServeSettings(**{
        **QUIET, "registry": str(folder / "registry"), "folder": str(folder / "serve"), "model_server": address, "content_filter": off, **more,
    })  # fmt: skip


def predicted(settings: ServeSettings) -> Any:
    async def predict() -> Any:
        client = ModelClient(settings.model_server, "m", 64, client_context(settings))
        try:
            return await client.predict(1, "generate", PROMPT, time.monotonic() + 5, "id")
        finally:
            await client.close()

    return asyncio.run(predict())


def refused(settings: ServeSettings) -> str:
    """Check that a prediction is refused with 503 and that the gateway is not ready. Return the reason that /readyz gives."""
    with pytest.raises(Refused) as error:
        predicted(settings)
    assert (error.value.status, error.value.code) == (503, "model_unavailable") and error.value.headers["Retry-After"]
    with running(settings) as gateway:
        assert gateway.generate().status_code == 503
        response = httpx.get(f"{gateway.address}/readyz")
    [reason] = [text for text in response.json()["degraded"] if "model server" in text]
    assert response.status_code == 503 and "\n" not in reason and "BEGIN" not in reason and "/" not in reason
    return str(reason)


@pytest.fixture
def ca(tmp_path: Path) -> str:
    return written(tmp_path, "ca.pem", AUTHORITY.certificate)


def test_with_certificates_on_both_sides_a_prediction_is_answered(tmp_path: Path, ca: str) -> None:
    certificate, key = AUTHORITY.issue("gateway")
    own = {"model_server_certificate": written(tmp_path, "own.pem", certificate), "model_server_key": written(tmp_path, "own.key", key)}
    with model_server(tmp_path, AUTHORITY.issue("127.0.0.1"), AUTHORITY.certificate) as address:
        assert address.startswith("https:")
        settings = gateway_settings(tmp_path, address, model_server_ca=ca, **own)
        assert predicted(settings) == {"tokens": [[5]]}
        with running(settings) as gateway:
            assert not [text for text in httpx.get(f"{gateway.address}/readyz").json()["degraded"] if "model server" in text]


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        (OTHER.issue("127.0.0.1"), "its certificate is not signed by a trusted authority (model_server_ca)"),
        (AUTHORITY.issue("127.0.0.1", days=(-3, -1)), "its certificate has expired"),
        (AUTHORITY.issue("127.0.0.1", days=(1, 3)), "its certificate is not valid yet"),
        (AUTHORITY.issue("127.0.0.2"), "its certificate is for another IP address"),
        (AUTHORITY.issue("model-server"), "its certificate is for another IP address"),
        (AUTHORITY.issue(), "its certificate is for another IP address"),
    ],
    ids=["other authority", "expired", "not yet valid", "other address", "other name", "no name"],
)
def test_a_server_with_another_certificate_is_refused(tmp_path: Path, ca: str, certificate: tuple[str, str], reason: str) -> None:
    with model_server(tmp_path, certificate) as address:
        assert refused(gateway_settings(tmp_path, address, model_server_ca=ca)) == f"the model server cannot be reached: {reason}"


def test_a_certificate_for_another_host_name_is_refused(tmp_path: Path, ca: str) -> None:
    with model_server(tmp_path, AUTHORITY.issue("127.0.0.1", "localhost.example")) as address:
        named = address.replace("127.0.0.1", "localhost")
        reason = refused(gateway_settings(tmp_path, named, model_server_ca=ca))
    assert reason == "the model server cannot be reached: its certificate is for another host name"


def test_without_an_authority_those_of_the_system_count(tmp_path: Path) -> None:
    with model_server(tmp_path, AUTHORITY.issue("127.0.0.1")) as address:
        assert refused(gateway_settings(tmp_path, address)).endswith("is not signed by a trusted authority (model_server_ca)")


@pytest.mark.parametrize("issuer", [None, OTHER], ids=["none", "other authority"])
def test_a_gateway_without_a_good_certificate_is_refused(tmp_path: Path, ca: str, issuer: Authority | None) -> None:
    own = {}
    if issuer:
        certificate, key = issuer.issue("gateway")
        own = {"model_server_certificate": written(tmp_path, "own.pem", certificate), "model_server_key": written(tmp_path, "own.key", key)}
    with model_server(tmp_path, AUTHORITY.issue("127.0.0.1"), AUTHORITY.certificate) as address:
        reason = refused(gateway_settings(tmp_path, address, model_server_ca=ca, **own))
    assert reason.startswith("the model server cannot be reached: it closed the connection; it may refuse our client certificate")


def test_plain_http_to_a_port_with_tls_is_refused(tmp_path: Path) -> None:
    with model_server(tmp_path, AUTHORITY.issue("127.0.0.1")) as address:
        reason = refused(gateway_settings(tmp_path, address.replace("https", "http")))
    assert reason.startswith("the model server cannot be reached: it closed the connection without an answer; it may need an https")


def test_tls_to_a_plain_port_is_refused(tmp_path: Path, ca: str) -> None:
    with model_server(tmp_path, None) as address:
        reason = refused(gateway_settings(tmp_path, address.replace("http", "https"), model_server_ca=ca))
    assert reason == "the model server cannot be reached: it does not use TLS"


def test_old_versions_of_tls_are_refused(tmp_path: Path) -> None:
    with model_server(tmp_path, AUTHORITY.issue("127.0.0.1")) as address:
        old = ssl.create_default_context(cadata=AUTHORITY.certificate)
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(httpx.ConnectError):
            httpx.get(address, verify=old, trust_env=False)


def test_a_redirect_to_another_server_is_not_followed(tmp_path: Path) -> None:
    seen: list[str] = []

    async def elsewhere(request: Request) -> Response:
        seen.append(request.url.path)
        return JSONResponse({"model_version_status": [{"version": "1", "state": "AVAILABLE"}]})

    with listening(Starlette(routes=[Route("/{path:path}", elsewhere, methods=["GET", "POST"])]), "off") as other:
        away = Starlette(routes=[Route("/{path:path}", lambda request: RedirectResponse(other), methods=["GET", "POST"])])
        with listening(away, "off") as address:
            settings = gateway_settings(tmp_path, address)
            with pytest.raises(Refused):
                predicted(settings)
            with running(settings) as gateway:
                assert "the model server cannot be reached" in json.loads(httpx.get(f"{gateway.address}/readyz").text)["degraded"]
    assert seen == []


@pytest.mark.parametrize("host", ["model-server:8501", "10.0.0.7:8501", "[2001:db8::1]:8501", "localhost.evil.com", "0.0.0.0:8501"])
def test_a_gateway_does_not_start_with_plain_http_to_another_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(BadInput, match="texts would be sent without encryption; use an https address, or set model_server_plain_http"):
        client_context(gateway_settings(tmp_path, f"http://{host}"))
    assert client_context(gateway_settings(tmp_path, f"http://{host}", model_server_plain_http=True)) is None
