"""TLS of the server, from TensorFlow Serving's `--ssl_config_file`: a text protobuf `SSLConfig` with PEM texts.

```
server_key: "-----BEGIN PRIVATE KEY-----\\n…"
server_cert: "-----BEGIN CERTIFICATE-----\\n…"
custom_ca: "-----BEGIN CERTIFICATE-----\\n…"   # issuer of the client certificates
client_verify: true                            # a client needs a certificate of custom_ca
```

tensorflow_model_server encrypts only gRPC with it. Its REST API has no TLS (tensorflow/serving issue 1503). This server encrypts both.
"""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from robo_poet.errors import BadInput
from robo_poet.permissions import check_private

_REMEDY = "write an SSLConfig with PEM texts, see docs/how-to/serve.md"


@dataclass(frozen=True)
class Tls:
    """The keys of a server.

    Attributes:
        context: for the REST API; TLS 1.2 or later.
        credentials: for gRPC.
        verifies_clients: each client needs a certificate.
    """

    context: ssl.SSLContext
    credentials: Any
    verifies_clients: bool


def read_tls(path: Path) -> Tls:
    """Read an `SSLConfig` file. Messages never contain text of the file, because it has the private key.

    Raises:
        BadInput: the file cannot be read, others can read it, it is not an `SSLConfig`, or its key and certificates cannot be used.
    """
    where = str(path)
    if path.exists():
        check_private(path, "file with the private key")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read ({type(error).__name__})", where=where, remedy=_REMEDY) from None
    try:
        config = text_format.Parse(text, _ssl_config())
    except text_format.ParseError as error:
        raise BadInput(f"not a valid SSLConfig in line {error.GetLine() or 1}", where=where, remedy=_REMEDY) from None
    for name in ("server_key", "server_cert", *(["custom_ca"] if config.client_verify else [])):
        if "-----BEGIN " not in getattr(config, name):
            raise BadInput(f"{name} is not a PEM text", where=where, remedy=_REMEDY)
    return Tls(_context(config, where), _credentials(config), config.client_verify)


def _context(config: Any, where: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        _load_key(context, f"{config.server_cert}\n{config.server_key}")
    except (ssl.SSLError, ValueError):
        problem = "server_key and server_cert cannot be loaded: they do not belong together, are damaged, or the key has a pass phrase"
        raise BadInput(problem, where=where, remedy=_REMEDY) from None
    if config.client_verify:
        try:
            context.load_verify_locations(cadata=config.custom_ca)
        except (ssl.SSLError, ValueError):
            raise BadInput("custom_ca cannot be loaded", where=where, remedy=_REMEDY) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _load_key(context: ssl.SSLContext, pem: str) -> None:
    """Load a key that is only in memory. `load_cert_chain` takes file names, so the file is anonymous and never on a disk."""
    handle = os.memfd_create("tls", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(handle), "w", encoding="utf-8") as file:
            file.write(pem)
        context.load_cert_chain(f"/proc/self/fd/{handle}", password=lambda: b"")  # without `password`, OpenSSL asks on the terminal
    finally:
        os.close(handle)


def _credentials(config: Any) -> Any:
    pair = (config.server_key.encode(), config.server_cert.encode())
    authority = config.custom_ca.encode() if config.client_verify else None
    return grpc.ssl_server_credentials([pair], root_certificates=authority, require_client_auth=config.client_verify)


def _ssl_config() -> Any:
    """Return an empty `tensorflow.serving.SSLConfig`. The package tensorflow-serving-api 2.19 does not contain its definition."""
    definition = descriptor_pb2.FileDescriptorProto(
        name="tensorflow_serving/config/ssl_config.proto", package="tensorflow.serving", syntax="proto3"
    )
    message = definition.message_type.add(name="SSLConfig")
    field = descriptor_pb2.FieldDescriptorProto
    names = ("server_key", "server_cert", "custom_ca", "client_verify")
    for number, name in enumerate(names, 1):
        kind = field.TYPE_BOOL if name == "client_verify" else field.TYPE_STRING
        message.field.add(name=name, number=number, type=kind, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(definition)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.serving.SSLConfig"))()
