"""The authenticated caller of a request, the scopes of a credential, and the refusal for credentials that cannot be checked."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from serving.refusal import Refused

SCOPES = {
    "generate": "generate texts",
    "feedback": "send feedback on completions",
    "metrics": "read /metrics",
    "internal-load": "no rate limit, for internal load tests",
    "end-users": "name the end user of a request in the header X-End-User, for applications",
}


class Consent(StrEnum):
    """Whether prompts may become training text (MON-4).

    `user`: those of the user. `readers`: those of all readers of an application; the application has their consent.
    """

    NO = "no"
    USER = "user"
    READERS = "readers"


TOKEN_CREDENTIAL = "jwt:"  # the id of a token begins with it, that of a key does not


@dataclass(frozen=True)
class Caller:
    """An authenticated caller.

    Attributes:
        user: the user. All keys and tokens of a user give the same value.
        credential: the public id of the key or token, for logs.
        scopes: the permissions of the credential, a subset of `SCOPES`.
        consent: of the credential. `may_train` says whether it holds for a request.
    """

    user: str
    credential: str
    scopes: frozenset[str]
    consent: Consent = Consent.NO


def one_form(user: str) -> str:
    """Return a user name in its one form: composed (NFC). In two forms, one user would have two rate limits and two votes."""
    return unicodedata.normalize("NFC", user)


END_USERS_SCOPE = "end-users"
END_USER_CHARACTERS = 128
_END_USER = re.compile(rf"[!-~]{{1,{END_USER_CHARACTERS}}}")


def end_user_of(caller: Caller, headers: Sequence[str]) -> str:
    """Return the end user that a trusted application names; empty if it names none.

    Args:
        headers: the values of the header X-End-User.

    Raises:
        Refused: 403, the credential lacks the scope. If the header were ignored, all end users would silently count as one user.
            400, the id is not 1 to 128 visible ASCII characters, or there are two.
    """
    if not headers:
        return ""
    if END_USERS_SCOPE not in caller.scopes:
        raise Refused(403, "missing_scope", f"the header X-End-User needs a key or token with the scope {END_USERS_SCOPE}")
    if len(headers) != 1 or not _END_USER.fullmatch(headers[0]):
        raise Refused(
            400, "invalid_end_user", f"the header X-End-User is not one value of 1 to {END_USER_CHARACTERS} visible ASCII characters"
        )
    return headers[0]


def may_train(caller: Caller) -> bool:
    """Return True if the prompt of a request may become training text.

    An application that may name end users stands for many readers, also in a request that names none. So `user` does not hold for it.
    """
    return caller.consent is Consent.READERS or (caller.consent is Consent.USER and END_USERS_SCOPE not in caller.scopes)


RETRY_SECONDS = 10


def credentials_unchecked() -> Refused:
    """Return a refusal with status 503: the client's credentials may be valid, but our keys cannot be read."""
    message = f"credentials cannot be checked at the moment; try again in {RETRY_SECONDS} s"
    return Refused(503, "credentials_unchecked", message, {"Retry-After": str(RETRY_SECONDS)})
