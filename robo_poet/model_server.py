"""The connection to the model server, as the section `serve` of a profile describes it: for the gateway and the drift watcher."""

import ssl
from urllib.parse import urlsplit

from robo_poet.errors import BadInput
from robo_poet.loopback import is_loopback
from robo_poet.settings.serve import ServeSettings


def client_context(settings: ServeSettings) -> ssl.SSLContext | None:
    """Return the TLS settings for the model server; None for plain http. The host name of the certificate is always checked.

    Raises:
        BadInput: prompts would be sent to another machine without encryption, a file cannot be used, or the settings contradict each other.
    """
    address = urlsplit(settings.model_server)
    files = [name for name in ("model_server_ca", "model_server_certificate", "model_server_key") if getattr(settings, name)]
    if address.scheme == "http":
        if files:
            raise BadInput("without https it has no effect", where=files[0], remedy="set model_server to an https address, or remove it")
        if not settings.model_server_plain_http and not is_loopback(address.hostname or ""):
            remedy = "use an https address, or set model_server_plain_http if a service mesh or a private network encrypts the connection"
            raise BadInput("texts would be sent without encryption", where=f"model_server: {settings.model_server}", remedy=remedy)
        return None
    if bool(settings.model_server_certificate) != bool(settings.model_server_key):
        raise BadInput("model_server_certificate and model_server_key must be given together", where=files[-1])
    try:
        context = ssl.create_default_context(cafile=settings.model_server_ca or None)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(settings.model_server_ca, error) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.model_server_certificate:
        try:  # without `password`, OpenSSL asks for a pass phrase on the terminal
            context.load_cert_chain(settings.model_server_certificate, settings.model_server_key, password=lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise _unusable(settings.model_server_certificate, error) from None
    return context


def _unusable(path: str, error: Exception) -> BadInput:
    return BadInput(
        f"the certificate or the key cannot be loaded ({type(error).__name__})", where=path, remedy="pass PEM files without a pass phrase"
    )
