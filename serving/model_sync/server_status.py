"""What a model server reports about the versions of a model, over TensorFlow Serving's REST API (contract 10)."""

import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from robo_poet.errors import BadInput
from robo_poet.loopback import is_loopback
from serving.model_sync.plan import STABLE, Loaded

SECONDS = 5.0  # timeout of a call, which the server answers from memory; it may be busy
BYTES = 8 << 20  # the metadata of a version have 10 kB


class ServerStatus:
    """The status of one model on a model server. It uses no proxy and follows no redirect.

    Args:
        address: base URL of the REST API, without a path.
        model: name of the model on the server.
        authorities: PEM file with the authorities of an https server; None: those of the system.
        certificate: PEM files with certificate and private key, for a server that verifies its clients.

    Raises:
        BadInput: the address cannot be used, it is another machine without https, or a file cannot be loaded.
    """

    def __init__(self, address: str, model: str, authorities: Path | None = None, certificate: tuple[Path, Path] | None = None) -> None:
        parts = urlsplit(address)
        try:
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            self._host, self._port = "", None
        if parts.scheme not in ("http", "https") or not self._host or parts.path not in ("", "/") or parts.query or "@" in parts.netloc:
            raise BadInput("not an address of a model server", where=address, remedy="write http://127.0.0.1:8501")
        if parts.scheme == "http" and not is_loopback(self._host):
            # A forged status could move labels to a version that is not loaded, and remove files that are still read.
            raise BadInput("the status of another machine needs https", where=address, remedy="use https, or run beside the model server")
        self._tls = _context(authorities, certificate) if parts.scheme == "https" else None
        self._model = model

    def ask(self, *, stable: bool) -> Loaded | None:
        """Return the status of all versions; None if the server does not answer, or not in TensorFlow Serving's form.

        Args:
            stable: also ask which version the label `stable` selects.
        """
        try:
            answer = self._get("")
            if answer is None:
                return Loaded({})
            statuses = answer["model_version_status"]
            states = {int(status["version"]): str(status["state"]) for status in statuses}
            texts = {int(status["version"]): str(status.get("status", {}).get("error_message", "")) for status in statuses}
            return Loaded(states, {number: text for number, text in texts.items() if text}, self._stable() if stable else None)
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def _stable(self) -> int | None:
        """Return the version that the label `stable` selects.

        TensorFlow Serving ignores the label in a status request and lists all versions. Its metadata are those of the selected version.
        """
        answer = self._get(f"/labels/{STABLE}/metadata")
        return None if answer is None else int(answer["model_spec"]["version"])

    def _get(self, path: str) -> Any:
        """Return a JSON answer; None if the model or the label is unknown.

        Raises:
            OSError, HTTPException, ValueError: there is no such answer.
        """
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=SECONDS)
        else:
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=SECONDS, context=self._tls)
        try:
            connection.request("GET", f"/v1/models/{self._model}{path}")
            response = connection.getresponse()
            body = response.read(BYTES)
        finally:
            connection.close()
        if response.status in (400, 404):
            return None
        if response.status != 200:
            raise ValueError(response.status)
        return json.loads(body)


def _context(authorities: Path | None, certificate: tuple[Path, Path] | None) -> ssl.SSLContext:
    path = authorities
    try:
        context = ssl.create_default_context(cafile=authorities)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate:
            path = certificate[0]
            context.load_cert_chain(*certificate, password=lambda: b"")  # without `password`, OpenSSL asks for a pass phrase
    except (OSError, ssl.SSLError) as error:
        remedy = "pass PEM files without a pass phrase"
        raise BadInput(f"the certificate or the key cannot be loaded ({type(error).__name__})", where=str(path), remedy=remedy) from None
    return context
