"""Encryption of the connection to the model server, and the reasons for which it fails."""

import ssl
from urllib.parse import urlsplit

import aiohttp

from robo_poet.errors import BadInput
from robo_poet.settings.serve import ServeSettings
from serving.loopback import is_loopback


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


_REFUSES_CLIENT = "it closed the connection; it may refuse our client certificate (model_server_certificate)"
# Verification results of OpenSSL (x509_vfy.h) that an operator repairs in different ways.
_VERIFICATION = {
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    62: "its certificate is for another host name",
    64: "its certificate is for another IP address",
}
_NOT_TLS = {"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}
_CLIENT_CERTIFICATE = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE")  # alerts of the server that concern our certificate


class ConnectionTrouble(Exception):
    """Why the connection to the model server failed, in a few words without addresses. It is the cause of a `Refused`, for /readyz."""


def connection_trouble(error: BaseException, *, tls: bool) -> ConnectionTrouble | None:
    """Return why a call failed, if TLS is the reason, or may be; otherwise None.

    Args:
        error: the exception of aiohttp.
        tls: the address is https.
    """
    causes: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in causes:
        causes.append(following)
        following = following.__cause__ or following.__context__
    for cause in reversed(causes):  # the last is OpenSSL's; aiohttp's errors around it have the same classes, but not their attributes
        if isinstance(cause, ssl.SSLCertVerificationError):
            problem = "its certificate is not signed by a trusted authority (model_server_ca)"
            return ConnectionTrouble(_VERIFICATION.get(getattr(cause, "verify_code", 0), problem))
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "reason", None) or ""
            if reason in _NOT_TLS:
                return ConnectionTrouble("it does not use TLS")
            if "ALERT" in reason and any(word in reason for word in _CLIENT_CERTIFICATE):
                return ConnectionTrouble(_REFUSES_CLIENT)
            return ConnectionTrouble("TLS cannot be agreed on")
    # In TLS 1.3 the server checks our certificate after the handshake has ended for us. Its alert is often lost in the reset that follows.
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError) and not isinstance(error, aiohttp.ClientConnectorError):
        return ConnectionTrouble(_REFUSES_CLIENT if tls else "it closed the connection without an answer; it may need an https address")
    return None
