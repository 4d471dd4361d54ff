"""Certificates of an authority that a test makes: good ones, and ones with a fault."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)


class Authority:
    """A certificate authority.

    Attributes:
        certificate: its certificate as PEM text.
    """

    def __init__(self, name: str = "authority") -> None:
        self._key, self._name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._signed = (
            self._builder(self._name, self._key.public_key(), 0, 30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, SHA256())
        )
        self.certificate = self._signed.public_bytes(Encoding.PEM).decode()

    def issue(self, *hosts: str, days: tuple[float, float] = (-1, 1)) -> tuple[str, str]:
        """Return a new certificate and its key as PEM texts.

        Args:
            hosts: names and IP addresses.
            days: begin and end of its validity, in days from now.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")]), key.public_key(), *days)
        names = [x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM).decode(), pem

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, first: float, last: float) -> x509.CertificateBuilder:
        public = self._key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=first, minutes=-5))
            .not_valid_after(NOW + timedelta(days=last))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        )


def ssl_config(path: Path, certificate: str, key: str, clients: str = "") -> Path:
    """Write TensorFlow Serving's `SSLConfig`. With `clients`, the certificate of an authority, each client needs one of its certificates."""
    quoted = {
        name: "".join(f'\n  "{line}\\n"' for line in text.splitlines())
        for name, text in (("key", key), ("cert", certificate), ("ca", clients))
    }
    text = f"server_key: {quoted['key']}\nserver_cert: {quoted['cert']}\n"
    if clients:
        text += f"custom_ca: {quoted['ca']}\nclient_verify: true\n"
    path.write_text(text)
    path.chmod(0o600)
    return path


def written(folder: Path, name: str, text: str) -> str:
    """Write a PEM file that only its owner can read. Return its path."""
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return str(path)
