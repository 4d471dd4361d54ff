"""The signing key of this user or cluster, and the public keys that it trusts (REG-1, REG-4).

Keys are ECDSA keys on the curve P-256, which OpenSSF `model-signing` supports. They are kept outside every registry: write access to a
registry does not give the right to sign. A trusted key is one line: the base64 text of its DER encoding, and a comment.
"""

import base64
import hashlib
import os
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from robo_poet.atomic import create_once
from robo_poet.commands import command
from robo_poet.errors import BadInput
from robo_poet.permissions import check_private, make_private_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_KEY = re.compile(r"[A-Za-z0-9+/]{100,200}={0,2}")


class PublicKey:
    """A public key. `text` is the base64 text of its DER encoding (SubjectPublicKeyInfo).

    Raises:
        BadInput: the text is not a public key on the curve P-256.
    """

    def __init__(self, text: str) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        try:
            key = load_der_public_key(base64.b64decode(text, validate=True))
        except ValueError:
            key = None
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise BadInput(f"{text[:20]!r} is not a public key (ECDSA P-256, base64)", remedy=f"print one: {command('registry key')}")
        self.text, self._key = text, key

    @cached_property
    def pem(self) -> str:
        """The key as PEM, as `model_signing verify key --public_key FILE` reads it."""
        lines = "\n".join(re.findall(".{1,64}", self.text))
        return f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"

    @cached_property
    def id(self) -> str:
        """The SHA-256 of the PEM text, in hexadecimal digits, which names the key in signatures."""
        return hashlib.sha256(self.pem.encode()).hexdigest()

    def verifies(self, data: bytes, signature: bytes) -> bool:
        """Return True if this key made the signature of `data`."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        try:
            self._key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """A signing key.

    Attributes:
        public: its public key.
    """

    def __init__(self, key: "EllipticCurvePrivateKey") -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._key = key
        der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public = PublicKey(base64.b64encode(der).decode())

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data` (ECDSA with SHA-256, DER)."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))


def read_private_key(path: Path) -> PrivateKey:
    """Read a signing key from a PEM file.

    Raises:
        BadInput: the file cannot be read, others can read or change it, or it has no key on the curve P-256 without password.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if "KUBERNETES_SERVICE_HOST" not in os.environ:  # a mounted secret belongs to root; the pod has one user
        check_private(path, "signing key", then="treat the key as compromised")
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise BadInput(f"the signing key cannot be read ({error.strerror})", where=str(path)) from None
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        remedy = "make one: openssl ecparam -name prime256v1 -genkey -noout -out FILE; chmod 600 FILE"
        raise BadInput("the file has no signing key (ECDSA P-256, PEM, without password)", where=str(path), remedy=remedy)
    return PrivateKey(key)


def create_private_key(path: Path) -> None:
    """Create a signing key with mode 0600. If two processes do so, the first succeeds, and no process reads a part of a key.

    Raises:
        BadInput: the file cannot be created.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        make_private_folder(path.parent)
        create_once(path, pem, mode=0o600)
    except OSError as error:
        remedy = "set ROBO_POET_SIGNING_KEY to a file with a signing key, or ROBO_POET_TRUST to a folder for keys"
        raise BadInput(f"the signing key cannot be created ({error.strerror})", where=str(path), remedy=remedy) from None


def parse_keys(text: str, where: str) -> list[PublicKey]:
    """Return the public keys in a text with one key in each line. A comment may follow a key; lines that start with # are comments.

    Raises:
        BadInput: a line has no key.
    """
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            keys.append(PublicKey(words[0]))
        except BadInput as error:
            raise BadInput(error.what, where=f"{where}:{number}", remedy=error.remedy) from None
    return keys


def is_key(text: str) -> bool:
    """Return True if the text looks like a public key, perhaps with a comment, and not like a path."""
    return _KEY.fullmatch(text.partition(" ")[0]) is not None


def named_keys(names: list[str], where: str) -> list[PublicKey]:
    """Return the keys that a setting names: each is a key, or the path of a file with one key in each line.

    Raises:
        BadInput: a file cannot be read, or has no key.
    """
    keys: list[PublicKey] = []
    for name in names:
        if is_key(name):
            keys.append(PublicKey(name.split()[0]))
            continue
        try:
            text = Path(name).read_text("utf-8")
        except (OSError, ValueError):
            raise BadInput(f"{name[:80]!r} is neither a public key nor a readable file of keys", where=where) from None
        keys += parse_keys(text, name)
    return keys
