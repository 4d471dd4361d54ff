"""An encrypted stream of bytes in constant memory (REG-4).

It is the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance" (CRYPTO 2015), as the file format `age` (age-encryption.org/v1) uses it, with AES-256-GCM:

    header: 16 bytes of name and form, 1 byte of the kind of secret, 32 random bytes (salt), 16 bytes that check secret and header
    chunks: 64 KiB of plain text each, the last one shorter or equal, and 16 bytes (tag) each

The key of the chunks is HKDF-SHA256(secret, salt, header): each archive has its own. The nonce of a chunk is its number from 0 in 11 bytes,
and a byte that is 1 for the last chunk, otherwise 0. So a chunk that was changed, moved, left out, repeated or added is noticed before its
plain text is used, and an archive that was cut lacks its last chunk.

`cryptography` has the primitives, and no format for files except Fernet, which keeps the whole message in memory.
"""

import hmac
import os
from typing import BinaryIO

from robo_poet.errors import BadInput
from robo_poet.registry.backup.secret import KEY_BYTES, Secret

MAGIC = b"robo-poet bak 1\n"
SALT_BYTES, CHECK_BYTES, TAG_BYTES = 32, 16, 16
HEADER_BYTES = len(MAGIC) + 1 + SALT_BYTES + CHECK_BYTES
CHUNK = 64 * 1024  # bytes of plain text in a chunk; larger chunks are not faster
KINDS = {False: b"k", True: b"p"}  # the secret is a key, or a passphrase


def _derive(stretched: bytes, purpose: bytes, header: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=length, salt=header[-SALT_BYTES:], info=purpose + header).derive(stretched)


def _keys(secret: Secret, header: bytes) -> tuple[bytes, bytes]:
    """Return the bytes that check the header, and the key of the chunks. `header` ends with the salt."""
    stretched = secret.stretch(header[-SALT_BYTES:])
    return _derive(stretched, b"check ", header, CHECK_BYTES), _derive(stretched, b"chunks ", header, KEY_BYTES)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class Sealer:
    """Encrypts what is written to it. `finish` writes the last chunk; without it, nobody can open the archive."""

    def __init__(self, target: BinaryIO, secret: Secret) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        header = MAGIC + KINDS[secret.passphrase] + os.urandom(SALT_BYTES)
        check, key = _keys(secret, header)
        self._target, self._cipher, self._number, self._waiting = target, AESGCM(key), 0, bytearray()
        target.write(header + check)

    def write(self, data: bytes) -> int:
        """Encrypt bytes. A full chunk waits for the next byte, because it may be the last one."""
        self._waiting += data
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def finish(self) -> None:
        """Write the last chunk."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, data: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, last), data, None))
        self._number += 1


class Opener:
    """Decrypts a stream. Every returned byte is authentic, and the end is reached only if the archive is whole.

    Raises:
        BadInput: the file is not an archive, the secret is another one, or the archive was changed or cut.
    """

    def __init__(self, source: BinaryIO, secret: Secret, where: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        header = source.read(HEADER_BYTES)
        if not header.startswith(MAGIC) or len(header) < HEADER_BYTES:
            raise BadInput("the file is not a backup of a registry, or was cut", where=where, remedy="give a file of `registry backup`")
        header, check = header[:-CHECK_BYTES], header[-CHECK_BYTES:]
        if header[len(MAGIC) : len(MAGIC) + 1] != KINDS[secret.passphrase]:
            needed = "--key-file or --key-variable" if secret.passphrase else "--passphrase-file"
            raise BadInput("the backup was made with another kind of secret", where=where, remedy=f"give {needed}")
        expected, key = _keys(secret, header)
        if not hmac.compare_digest(check, expected):
            remedy = "give the secret that it was made with"
            raise BadInput(f"the secret in {secret.where} does not open this backup, or its header was changed", where=where, remedy=remedy)
        self._source, self._cipher, self._where = source, AESGCM(key), where
        self._number, self._next, self._plain, self._ended = 0, source.read(CHUNK + TAG_BYTES), b"", False

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; b"" only at the end."""
        if not self._plain and not self._ended:
            self._plain = self._open()
        data, self._plain = self._plain[:size], self._plain[size:]
        return data

    def _open(self) -> bytes:
        from cryptography.exceptions import InvalidTag

        sealed, self._next = self._next, self._source.read(CHUNK + TAG_BYTES)
        self._ended = not self._next
        try:
            plain = self._cipher.decrypt(_nonce(self._number, self._ended), sealed, None)
        except (InvalidTag, ValueError):
            position = HEADER_BYTES + self._number * (CHUNK + TAG_BYTES)
            what = f"the backup was changed or cut, at or after byte {position:,}"
            raise BadInput(what, where=self._where, remedy="use another copy of it") from None
        self._number += 1
        return plain
