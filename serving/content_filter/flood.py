"""Texts that say the same thing over and over."""

import zlib

LEAST = 240  # characters from which a text can be a flood
SHARE = 0.08  # of its bytes that remain when deflated; the most repetitive 2,000 characters of the bundled corpora keep 38 %


def is_flood(text: str) -> bool:
    """`text` deflates to next to nothing: one character, word or sentence again and again. Linear, and blind to what is repeated."""
    if len(text) < LEAST:
        return False
    data = text.encode("utf-8", "surrogatepass")
    return len(zlib.compress(data, 1)) < SHARE * len(data)
