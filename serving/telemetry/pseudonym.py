"""Keyed digests of users and texts. They are stable under one key and reveal nothing without it."""

import hmac
from collections.abc import Iterable

DIGITS = 32  # hexadecimal digits of a user's pseudonym: 128 bits, so collisions are not a concern


class Pseudonyms:
    """HMAC-SHA256 under one key. A plain hash would not protect: anyone can guess and hash user names and common prompts."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def user(self, user: str) -> str:
        """Return the pseudonym of a user, 32 hexadecimal digits. With the key, an operator can find and delete their records (DATA-4)."""
        return self._mac("user", user)[:DIGITS]

    def text(self, text: str) -> str:
        """Return the digest of a text, 64 hexadecimal digits. Equal texts have equal digests, so a known text can be verified."""
        return self._mac("text", text)

    def texts(self, texts: Iterable[str]) -> list[str]:
        """Return the digest of each text."""
        return [self.text(text) for text in texts]

    def _mac(self, kind: str, value: str) -> str:
        # The kind is part of the input, so a text equal to a user name does not get that user's pseudonym.
        return hmac.digest(self._key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), "sha256").hex()
