"""TLS of the model server: its file, gRPC with client certificates, and the whole server with a gateway's client."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import httpx
import pytest
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from robo_poet.errors import BadInput
from serving.model_server.rpc import make_server
from serving.model_server.tls import read_tls
from tests.certificates import Authority, ssl_config
from tests.serving.model_server.conftest import Server, completion

AUTHORITY, OTHER = Authority(), Authority()
CERTIFICATE, KEY = AUTHORITY.issue("127.0.0.1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server_key: 'SECRET", "not a valid SSLConfig in line 1"),
        ("\nserver_kye: 'SECRET'", "not a valid SSLConfig in line 2"),
        ("server_key: 'SECRET'", "server_key is not a PEM text"),
        ("server_key: '/etc/SECRET.pem' server_cert: '/etc/cert.pem'", "server_key is not a PEM text"),  # texts, not paths
        ("", "server_key is not a PEM text"),
        ("server_key: '-----BEGIN SECRET' server_cert: 'x'", "server_cert is not a PEM text"),
        ("server_key: '-----BEGIN SECRET' server_cert: '-----BEGIN x'", "server_key and server_cert cannot be loaded"),
        ("server_key: '-----BEGIN SECRET' server_cert: '-----BEGIN x' client_verify: true", "custom_ca is not a PEM text"),
    ],
)
def test_a_damaged_file_is_one_line_without_its_content(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ssl.config"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(BadInput) as error:
        read_tls(path)
    assert message in str(error.value) and "SECRET" not in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_and_a_key_of_another_certificate_are_errors(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot be read \(FileNotFoundError\)"):
        read_tls(tmp_path / "none")
    with pytest.raises(BadInput, match="they do not belong together"):
        read_tls(ssl_config(tmp_path / "ssl.config", CERTIFICATE, OTHER.issue("127.0.0.1")[1]))
    with pytest.raises(BadInput, match="custom_ca cannot be loaded"):
        read_tls(ssl_config(tmp_path / "ssl.config", CERTIFICATE, KEY, "-----BEGIN CERTIFICATE-----\nAAAA"))


def test_the_settings_of_the_file_are_used(tmp_path: Path) -> None:
    one_way = read_tls(ssl_config(tmp_path / "one", CERTIFICATE, KEY))
    assert not one_way.verifies_clients and one_way.context.verify_mode is ssl.CERT_NONE
    both = read_tls(ssl_config(tmp_path / "both", CERTIFICATE, KEY, AUTHORITY.certificate))
    assert both.verifies_clients and both.context.verify_mode is ssl.CERT_REQUIRED
    assert both.context.minimum_version is ssl.TLSVersion.TLSv1_2


def channel_credentials(authority: Authority, own: tuple[str, str] | None) -> Any:
    certificate, key = (text.encode() for text in own) if own else (None, None)
    return grpc.ssl_channel_credentials(authority.certificate.encode(), key, certificate)


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        (channel_credentials(AUTHORITY, AUTHORITY.issue("gateway")), grpc.StatusCode.OK),
        (channel_credentials(AUTHORITY, None), grpc.StatusCode.UNAVAILABLE),
        (channel_credentials(AUTHORITY, OTHER.issue("gateway")), grpc.StatusCode.UNAVAILABLE),
        (channel_credentials(OTHER, AUTHORITY.issue("gateway")), grpc.StatusCode.UNAVAILABLE),
        (None, grpc.StatusCode.UNAVAILABLE),
    ],
    ids=["good", "no client certificate", "client of another authority", "server of another authority", "plain text"],
)
def test_grpc_with_client_certificates(tmp_path: Path, credentials: Any, code: grpc.StatusCode) -> None:
    tls = read_tls(ssl_config(tmp_path / "ssl.config", CERTIFICATE, KEY, AUTHORITY.certificate))

    async def call() -> grpc.StatusCode:
        versions: Any = SimpleNamespace(statuses=lambda *_: {})
        server, port = make_server(versions, SimpleNamespace(), None, "127.0.0.1:0", tls.credentials)  # type: ignore[arg-type]
        await server.start()
        address = f"127.0.0.1:{port}"
        try:
            async with grpc.aio.secure_channel(address, credentials) if credentials else grpc.aio.insecure_channel(address) as channel:
                await model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(
                    get_model_status_pb2.GetModelStatusRequest(), timeout=5
                )
        except grpc.aio.AioRpcError as error:
            return error.code()
        finally:
            await server.stop(0)
        return grpc.StatusCode.OK

    assert asyncio.run(call()) is code


@pytest.mark.soak  # starts a server with a model: 8 s
def test_a_server_with_the_file_answers_only_https(plain_config: Path, start: Callable[..., Server], tmp_path: Path) -> None:
    config = ssl_config(tmp_path / "ssl.config", CERTIFICATE, KEY, AUTHORITY.certificate)
    server = start(f"--model_config_file={plain_config}", f"--ssl_config_file={config}")
    address = server.http.replace("http://", "https://")
    context = ssl.create_default_context(cadata=AUTHORITY.certificate)
    path = "/v1/models/shakespeare"
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{address}{path}", verify=context)  # without a client certificate
    certificate, key = AUTHORITY.issue("gateway")
    pem = tmp_path / "own.pem"
    pem.write_text(certificate + key)
    context.load_cert_chain(pem)
    answer = httpx.post(
        f"{address}{path}:predict", json={"signature_name": "generate", "instances": [completion()]}, verify=context, timeout=60
    )
    assert answer.status_code == 200 and len(answer.json()["predictions"][0]["tokens"]) == 8
    with pytest.raises(httpx.TransportError):
        server.call(path)
