"""Detection of texts that repeat the same content."""

import zlib

LEAST = 240  # shorter texts, in characters, are never a flood
SHARE = 0.08  # compressed size / size; the most repetitive 2,000 characters of the bundled corpora compress to 38 %


def is_flood(text: str) -> bool:
    """Return True if `text` compresses to less than 8 % of its size: the text repeats itself. Takes linear time."""
    if len(text) < LEAST:
        return False
    data = text.encode("utf-8", "surrogatepass")
    return len(zlib.compress(data, 1)) < SHARE * len(data)
