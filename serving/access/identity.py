"""The authenticated caller of a request, and the scopes that a credential can have."""

from dataclasses import dataclass

SCOPES = {
    "generate": "have texts written",
    "feedback": "rate completions",
    "metrics": "read /metrics",
    "internal-load": "our own load tests: no rate limit",
}


@dataclass(frozen=True)
class Caller:
    """An authenticated caller.

    Attributes:
        user: the user. All keys and tokens of a user give the same value.
        credential: the public id of the key or token, for logs.
        scopes: the permissions of the credential, a subset of `SCOPES`.
    """

    user: str
    credential: str
    scopes: frozenset[str]
