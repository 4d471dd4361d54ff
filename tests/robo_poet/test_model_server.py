import ssl
from pathlib import Path

import pytest

from robo_poet.errors import BadInput
from robo_poet.model_server import client_context
from robo_poet.settings.serve import ServeSettings
from tests.certificates import Authority, written

AUTHORITY = Authority()


def test_a_model_server_on_this_machine_needs_no_tls() -> None:
    for host in ("127.0.0.1:8501", "localhost", "[::1]:8501"):
        assert client_context(ServeSettings(model_server=f"http://{host}")) is None


def test_https_verifies_certificate_and_host_name(tmp_path: Path) -> None:
    context = client_context(ServeSettings(model_server="https://model:1", model_server_ca=written(tmp_path, "ca", AUTHORITY.certificate)))
    assert context is not None and context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2 and len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_server": "http://127.0.0.1:1", "model_server_ca": "ca"}, "model_server_ca: without https it has no effect"),
        ({"model_server_certificate": "cert"}, "model_server_certificate and model_server_key must be given together"),
        ({"model_server_key": "key"}, "model_server_certificate and model_server_key must be given together"),
        ({"model_server_ca": "/no/such"}, "cannot be loaded (FileNotFoundError)"),
        ({"model_server_ca": "damaged"}, "cannot be loaded (SSLError)"),
        ({"model_server_certificate": "cert", "model_server_key": "other"}, "cannot be loaded (SSLError)"),
        ({"model_server_certificate": "cert", "model_server_key": "locked"}, "cannot be loaded (SSLError)"),
    ],
)
def test_files_that_cannot_be_used_are_one_line_without_their_content(tmp_path: Path, settings: dict[str, str], message: str) -> None:
    certificate, key = AUTHORITY.issue("gateway")
    contents = {
        "damaged": "-----BEGIN CERTIFICATE-----\nAAAA\n",
        "cert": certificate,
        "other": AUTHORITY.issue("other")[1],
        "locked": LOCKED,
    }
    paths = {name: written(tmp_path, name, text) for name, text in contents.items()}
    with pytest.raises(BadInput) as error:
        client_context(
            ServeSettings(**{"model_server": "https://model:1", **{name: paths.get(text, text) for name, text in settings.items()}})
        )  # type: ignore[arg-type]
    assert message in str(error.value) and "\n" not in str(error.value) and key[60:90] not in str(error.value)


def _locked() -> str:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"phrase")).decode()


LOCKED = _locked()
