"""Which completions are kept: the same ones wherever one asks, so that feedback finds its request."""

from hashlib import blake2b

_SPACE = 1 << 64


def sampled(completion_id: str, rate: float) -> bool:
    """Whether a completion is kept at this rate. What is kept at a rate is kept at every higher one."""
    if rate >= 1:
        return True
    digest = blake2b(completion_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") < rate * _SPACE
