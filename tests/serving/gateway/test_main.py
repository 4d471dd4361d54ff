"""Tests of the settings and of the gateway as a process, which builds its parts from a settings file. Covers: assemble."""

import datetime
import ipaddress
import json
import signal
import ssl
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from robo_poet.errors import BadInput
from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from serving.access.api_keys import KeyStore
from serving.gateway.__main__ import main, read_settings
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer

TEXT = "the rose sleeps upon"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and its private key. Return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).add_extension(names, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    (folder / "key.pem").chmod(0o600)
    return folder / "cert.pem", folder / "key.pem"


@dataclass(frozen=True)
class TlsRun:
    """The observations of one gateway process with TLS, which is stopped while a request runs.

    Attributes:
        response: response to the first request.
        late_responses: responses to the request that ran when the process got SIGTERM.
    """

    ready_line: str
    response: httpx.Response
    late_responses: list[httpx.Response]
    exit_status: int
    log: str
    folder: Path
    api_key: str


@pytest.fixture(scope="module")
def tls_run(registry: Registry, stand_in_of_session: StandInModelServer, tmp_path_factory: pytest.TempPathFactory) -> TlsRun:
    server, folder = stand_in_of_session, tmp_path_factory.mktemp("tls")
    server.reset()
    chain, private_key = certificate(folder)
    settings: dict[str, Any] = {
        **QUIET, "model_server": server.address, "registry": str(registry.root), "folder": str(folder), "tls_certificate": str(chain),
        "tls_key": str(private_key), "content_filter": {"toxicity": {"prompt": "off", "completion": "off"}}, "request_log": {"names": "patterns"},
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    api_key = KeyStore(folder / "keys").create(user="ada", scopes=("generate",), days=1).text
    command = [sys.executable, "-m", "serving.gateway", f"--settings={folder / 'settings.json'}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    watchdog = threading.Timer(90, process.kill)
    watchdog.start()
    try:
        ready_line = process.stdout.readline().strip()
        assert ready_line, (folder / "log").read_text()
        trusted = ssl.create_default_context(cafile=str(chain))
        with httpx.Client(base_url=ready_line.split()[-1], verify=trusted, headers={"X-API-Key": api_key}, timeout=20) as client:
            response = client.post("/v1/generate", json={"text": TEXT, "seed": 4})
            server.seconds = 0.6  # the next request still runs when the process gets the signal
            late_responses: list[httpx.Response] = []
            late_request = threading.Thread(target=lambda: late_responses.append(client.post("/v1/generate", json={"text": TEXT})))
            late_request.start()
            assert wait_until(lambda: len(server.calls) == 2)
            process.send_signal(signal.SIGTERM)
            late_request.join(20)
        exit_status = process.wait(20)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
    return TlsRun(ready_line, response, late_responses, exit_status, (folder / "log").read_text(), folder, api_key)


def test_a_process_prints_its_address_and_serves_over_tls(tls_run: TlsRun) -> None:
    assert tls_run.ready_line.startswith("gateway: ready https://127.0.0.1:")
    assert tls_run.response.status_code == 200
    assert tls_run.response.headers["strict-transport-security"] == "max-age=31536000"


def test_sigterm_lets_a_running_request_finish(tls_run: TlsRun) -> None:
    assert [response.status_code for response in tls_run.late_responses] == [200]
    assert tls_run.exit_status == 0


def test_at_shutdown_all_log_records_are_written(tls_run: TlsRun) -> None:
    # On a busy machine the writer process finishes after the gateway has stopped.
    assert wait_until(lambda: any((tls_run.folder / "requests").rglob("*.parquet")), seconds=120)
    assert list((tls_run.folder / "audit").glob("*.jsonl"))


def test_the_log_of_the_process_has_no_text_key_or_traceback(tls_run: TlsRun) -> None:
    assert "rose sleeps" not in tls_run.log and tls_run.api_key not in tls_run.log and "Traceback" not in tls_run.log


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"port": -1}, "error: port: "),
        ({"tls_certificate": "none.pem", "tls_key": "none.pem"}, "error: none.pem: the certificate or the key cannot be loaded"),
        ({"host": "192.0.2.1"}, "error: host: 192.0.2.1: API keys and texts would be sent without encryption; set tls_certificate"),
        ({"host": "192.0.2.1", "plain_http": True}, "error: 192.0.2.1:8080: the address cannot be used"),
        (None, "the settings cannot be read"),
    ],
)
def test_an_unusable_setting_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any] | None, message: str
) -> None:
    monkeypatch.setattr("serving.gateway.__main__.configure", lambda level: None)
    if settings is not None:
        (tmp_path / "s.json").write_text(json.dumps({**settings, "folder": str(tmp_path)}))
    assert main([f"--settings={tmp_path / 's.json'}"]) == 2
    output = capsys.readouterr().err
    assert message in output and output.count("\n") == 1


def test_without_a_file_the_defaults_apply() -> None:
    assert read_settings(None, {}) == ServeSettings()
    assert (ServeSettings().deadline_seconds, ServeSettings().access.requests_per_minute, ServeSettings().port) == (30, 100, 8080)


@pytest.mark.parametrize("text", ['{"port": 81, "access": {"audience": "poets"}}', "port: 81\naccess: {audience: poets}\n"])
def test_environment_variables_override_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings").write_text(text)
    environment = {
        "ROBO_POET_SERVE_PORT": "82",
        "ROBO_POET_SERVE_ACCESS__REQUESTS_PER_MINUTE": "5",
        "PATH": "/bin",
        "ROBO_POET_SERVE_TRUSTED_PROXIES": "[10.0.0.0/8]",
    }
    settings = read_settings(tmp_path / "settings", environment)
    assert (settings.port, settings.access.audience, settings.access.requests_per_minute, settings.trusted_proxies) == (
        82,
        "poets",
        5,
        ("10.0.0.0/8",),
    )


def test_values_of_environment_variables_are_decimal_numbers_or_texts() -> None:
    settings = read_settings(
        None, {"ROBO_POET_SERVE_PORT": "0081", "ROBO_POET_SERVE_ACCESS__AUDIENCE": "off", "ROBO_POET_SERVE_FOLDER": "po$ems #1"}
    )
    assert (settings.port, settings.access.audience, str(settings.folder)) == (81, "off", "po$ems #1")


def test_written_settings_read_back_equal(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(ServeSettings(port=5).model_dump(mode="json")))
    assert read_settings(tmp_path / "s.json", {}) == ServeSettings(port=5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port: yes", "port: "), ("port: 70000", "port: "), ("no_such: 1", "no_such: "), ("access: {audience: ''}", "access.audience: "), ("- 1", "not a mapping"),
        ("{", "not YAML: "), ("port: 81\nport: 82", "the key port is there twice, on lines 1 and 2"), ("port: 0x51", "port: "), ("port: 12:30", "port: "),
        ("access: &a {audience: *a}", "the anchor contains itself"), ("tls_key: a.pem", "given together"), ("trusted_proxies: [nonsense]", "trusted_proxies: "), ("model_server: ftp://x", "model_server: "),
    ],
)  # fmt: skip
def test_an_invalid_setting_is_named_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    with pytest.raises(BadInput, match=message) as refused:
        read_settings(tmp_path / "settings.yaml", {})
    assert "\n" not in str(refused.value)


def test_a_missing_settings_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the settings cannot be read"):
        read_settings(tmp_path / "none.yaml", {})
