"""The secret of a backup: a key in a file or in an environment variable, or a passphrase in a file (REG-4).

A key is 32 random bytes as base64 text, such as `openssl rand -base64 32` prints. From a passphrase, scrypt (RFC 7914) makes a key.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from robo_poet.errors import BadInput
from robo_poet.permissions import check_private

KEY_BYTES = 32
SHORTEST = 12  # characters of a passphrase: whoever has the archive can try passphrases without limit
MAKE_KEY = "make one: openssl rand -base64 32 > FILE; chmod 600 FILE"
COST = 2**17, 8, 1  # scrypt's n, r, p by OWASP's Password Storage Cheat Sheet: 128 MiB and about 0.4 s


@dataclass(frozen=True)
class Secret:
    """The secret that opens a backup.

    Args:
        value: 32 random bytes, or a passphrase.
        passphrase: True if it is a passphrase.
        where: where it was read, for messages.
    """

    value: bytes
    passphrase: bool
    where: str

    def stretch(self, salt: bytes) -> bytes:
        """Return 32 bytes from which the keys of an archive are derived."""
        if not self.passphrase:
            return self.value
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        n, r, p = COST
        return Scrypt(salt=salt, length=KEY_BYTES, n=n, r=r, p=p).derive(self.value)


def read_secret(
    key_file: Path | None = None, key_variable: str = "", passphrase_file: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Secret:  # fmt: skip
    """Return the secret from the one place that is given.

    Raises:
        BadInput: no place or several places are given, the file cannot be read or others can read it, or it has no secret.
    """
    given = [place for place in (key_file, key_variable, passphrase_file) if place]
    if len(given) != 1:
        what = "several secrets are given" if given else "no secret is given"
        raise BadInput(what, remedy=f"give one of --key-file, --key-variable and --passphrase-file; {MAKE_KEY}")
    if key_variable:
        text = environment.get(key_variable, "")
        if not text:
            raise BadInput("the environment variable is not set", where=key_variable, remedy="set it to the key of the backup")
        return Secret(_key(text, key_variable), False, key_variable)
    path = key_file or passphrase_file or Path()
    check_private(path, "secret of the backup", then="use another secret for the next backup")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput("the secret of the backup cannot be read", where=str(path), remedy=MAKE_KEY) from None
    if key_file:
        return Secret(_key(text, str(path)), False, str(path))
    passphrase = text.rstrip("\r\n")
    if len(passphrase) < SHORTEST:
        raise BadInput(f"the passphrase has less than {SHORTEST} characters", where=str(path), remedy="take a longer one")
    return Secret(passphrase.encode(), True, str(path))


def _key(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BadInput(f"this is not a key of {KEY_BYTES} bytes in base64", where=where, remedy=MAKE_KEY)
    return key
