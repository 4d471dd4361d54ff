"""Keyed digests of users and texts, and the secret key behind them. Digests are stable under one key and reveal nothing without it.

The key is a file that is created on first use and that only its owner can read.
"""

import hmac
import secrets
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from robo_poet.atomic import create_once
from robo_poet.errors import BadInput
from robo_poet.permissions import check_private, make_private_folder

KEY_BYTES = 32


def read_or_create_key(path: Path) -> bytes:
    """Return the key in `path`, 32 bytes, and create it if it is missing.

    Replicas that share the folder get the same key, even if they start at the same time. After the file is deleted, earlier
    pseudonyms and digests cannot be linked to users or texts any more.

    Raises:
        BadInput: the file cannot be read or created, others may read or change it, or it does not contain a key.
    """
    try:
        if not path.exists():
            make_private_folder(path.parent)
            create_once(path, secrets.token_bytes(KEY_BYTES), mode=0o600)
        key = path.read_bytes()
    except OSError as error:
        problem = f"the key file cannot be read or created ({error.strerror})"
        raise BadInput(problem, where=str(path), remedy="check the permissions of the folder and the file") from None
    check_private(path, "key file", then="treat the key as compromised")
    if len(key) != KEY_BYTES:
        raise BadInput(
            f"the key has {len(key)} bytes instead of {KEY_BYTES}",
            where=str(path),
            remedy="restore it from a backup, or delete it to create a new key",
        )
    return key


def reader_of(user: str, end_user: str = "") -> str:
    """Return the text whose pseudonym stands for an end user of an application. Two applications may use the same id for two persons.

    Args:
        user: user of the application's key or token.
        end_user: id in the header X-End-User; empty for the user itself.
    """
    return f"{user}\0{end_user}" if end_user else user  # no name has a NUL, so no user can pose as an end user


DIGITS = 32  # hexadecimal digits of a user's pseudonym: 128 bits, so collisions are not a concern


class Pseudonyms:
    """HMAC-SHA256 under one key. A plain hash would not protect them: anyone can guess and hash user names and common prompts."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def user(self, user: str) -> str:
        """Return the pseudonym of a user: 32 hexadecimal digits. With the key, an operator can find a user's records (DATA-4).

        The composed and the decomposed form (NFC, NFD) of a name have the same pseudonym.
        """
        return self._mac("user", unicodedata.normalize("NFC", user))[:DIGITS]

    def address(self, network: str) -> str:
        """Return the pseudonym of a client's network (an IPv4 address or an IPv6 /64): 32 hexadecimal digits.

        An address is personal data. With the key, an operator can compute the pseudonym of a suspected address and compare.
        """
        return self._mac("address", network)[:DIGITS]

    def api_key(self, id_: str) -> str:
        """Return the pseudonym of an API key in the request log, 32 hexadecimal digits, by which a consent can be withdrawn later."""
        return self._mac("api key", id_)[:DIGITS]

    def text(self, text: str) -> str:
        """Return the digest of a text, 64 hexadecimal digits. Equal texts have equal digests, so a known text can be verified."""
        return self._mac("text", text)

    def texts(self, texts: Iterable[str]) -> list[str]:
        """Return the digest of each text."""
        return [self.text(text) for text in texts]

    def _mac(self, kind: str, value: str) -> str:
        # The kind is part of the input, so a text equal to a user name does not get that user's pseudonym.
        return hmac.digest(self._key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), "sha256").hex()
