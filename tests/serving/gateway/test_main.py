"""Tests of the gateway as a process, which builds its parts from a settings file. Covers: assemble."""

import datetime
import ipaddress
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from robo_poet.registry.registry import Registry
from serving.access.api_keys import KeyStore
from serving.gateway.__main__ import main
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine's, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    whole = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).add_extension(names, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(whole.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def test_a_process_serves_by_tls_and_finishes_what_it_began(registry: Registry, server: StandInModelServer, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    off = {"prompt": "off", "completion": "off"}
    given: dict[str, Any] = {
        **QUIET, "model_server": server.address, "registry": str(registry.root), "folder": str(tmp_path), "tls_certificate": str(chain), "tls_key": str(key),
        "content_filter": {"toxicity": off}, "request_log": {"names": "patterns"},
    }  # fmt: skip
    (tmp_path / "settings.json").write_text(json.dumps(given))
    api_key = KeyStore(tmp_path / "keys").create(user="ada", scopes=("generate",), days=1).text
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving.gateway", f"--settings={tmp_path / 'settings.json'}"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ,
        )
    assert process.stdout is not None
    try:
        watchdog = threading.Timer(60, process.kill)
        watchdog.start()
        line = process.stdout.readline().strip()
        watchdog.cancel()
        assert line.startswith("gateway: ready https://127.0.0.1:"), (tmp_path / "log").read_text()
        trusted = ssl.create_default_context(cafile=str(chain))
        with httpx.Client(base_url=line.split()[-1], verify=trusted, headers={"X-API-Key": api_key}, timeout=20) as client:
            response = client.post("/v1/generate", json={"text": "the rose sleeps upon", "seed": 4})
            assert response.status_code == 200
            assert response.headers["strict-transport-security"] == "max-age=31536000"

            server.seconds = 0.6  # under way when the end is asked for
            answers: list[httpx.Response] = []
            asking = threading.Thread(target=lambda: answers.append(client.post("/v1/generate", json={"text": "the rose sleeps upon"})))
            asking.start()
            assert wait_until(lambda: len(server.calls) == 2)
            process.send_signal(signal.SIGTERM)
            asking.join(20)
            assert [answer.status_code for answer in answers] == [200]
        assert process.wait(20) == 0
        assert list((tmp_path / "requests").rglob("*.parquet")) and list((tmp_path / "audit").glob("*.jsonl"))  # all was written out
        said = (tmp_path / "log").read_text()
        assert "rose sleeps" not in said and api_key not in said and "Traceback" not in said
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"port": -1}, "error: port: "),
        ({"tls_certificate": "none.pem", "tls_key": "none.pem"}, "error: none.pem: the certificate or the key cannot be loaded"),
        ({"host": "192.0.2.1"}, "error: host: 192.0.2.1: API keys and texts would be sent without encryption; set tls_certificate"),
        ({"host": "192.0.2.1", "plain_http": True}, "error: 192.0.2.1:8080: the address cannot be used"),
        (None, "the settings cannot be read"),
    ],
)
def test_an_unusable_setting_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any] | None, told: str
) -> None:
    monkeypatch.setattr("serving.gateway.__main__.configure", lambda level: None)
    if settings is not None:
        (tmp_path / "s.json").write_text(json.dumps({**settings, "folder": str(tmp_path)}))
    assert main([f"--settings={tmp_path / 's.json'}"]) == 2
    said = capsys.readouterr().err
    assert told in said and said.count("\n") == 1
