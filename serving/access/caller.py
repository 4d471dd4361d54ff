"""The authenticated caller of a request, the scopes of a credential, and the refusal for credentials that cannot be checked."""

import unicodedata
from dataclasses import dataclass

from serving.refusal import Refused

SCOPES = {
    "generate": "generate texts",
    "feedback": "send feedback on completions",
    "metrics": "read /metrics",
    "internal-load": "no rate limit, for internal load tests",
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


def one_form(user: str) -> str:
    """Return a user name in its one form: composed (NFC). In two forms, one user would have two rate limits and two votes."""
    return unicodedata.normalize("NFC", user)


RETRY_SECONDS = 10


def credentials_unchecked() -> Refused:
    """Return a refusal with status 503: the client's credentials may be valid, but our keys cannot be read."""
    message = f"credentials cannot be checked at the moment; try again in {RETRY_SECONDS} s"
    return Refused(503, "credentials_unchecked", message, {"Retry-After": str(RETRY_SECONDS)})
