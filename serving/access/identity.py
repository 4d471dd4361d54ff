"""Who asks, once that is proven."""

from dataclasses import dataclass

SCOPES = {
    "generate": "have texts written",
    "feedback": "rate completions",
    "metrics": "read /metrics",
    "internal-load": "our own load tests: no rate limit",
}


@dataclass(frozen=True)
class Caller:
    """A proven identity.

    Attributes:
        user: who; all keys and tokens of a user are one.
        credential: public id of the key or token, for logs.
        scopes: what it may be used for, of `SCOPES`.
    """

    user: str
    credential: str
    scopes: frozenset[str]
