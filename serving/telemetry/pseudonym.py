"""Names for people and texts that tell nothing without the key, and always the same with it."""

import hmac
from collections.abc import Iterable

DIGITS = 32  # hexadecimal, of a user: 128 bits, which do not collide


class Pseudonyms:
    """HMAC-SHA256 under one key. A plain hash would be no protection: user names and common prompts can be guessed and hashed by anyone."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def user(self, user: str) -> str:
        """Pseudonym of a user, 32 hexadecimal digits. Whoever has the key can find a person's records, to remove them (DATA-4)."""
        return self._mac("user", user)[:DIGITS]

    def text(self, text: str) -> str:
        """Digest of a text, 64 hexadecimal digits: proves that a text was the one, and tells equal from different."""
        return self._mac("text", text)

    def texts(self, texts: Iterable[str]) -> list[str]:
        """Digest of each text."""
        return [self.text(text) for text in texts]

    def _mac(self, kind: str, value: str) -> str:
        # The kind goes in, so that a text which is a user's name does not carry the user's pseudonym.
        return hmac.digest(self._key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), "sha256").hex()
