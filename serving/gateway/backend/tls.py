"""The reasons for which the connection to the model server fails, in a few words (the TLS settings: `robo_poet.model_server`)."""

import ssl

import aiohttp

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
