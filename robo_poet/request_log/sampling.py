"""Deterministic sampling by completion id. Every process keeps the same ids, so that feedback matches its request."""

from hashlib import blake2b

_SPACE = 1 << 64


def sampled(completion_id: str, rate: float) -> bool:
    """Return True if a completion is kept at this rate (0 to 1). An id that is kept at one rate is kept at every higher rate."""
    if rate >= 1:
        return True
    digest = blake2b(completion_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < rate * _SPACE
