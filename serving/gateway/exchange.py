"""One request and what became of it: filled on its way, told to metrics and audit at its end."""

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.types import Scope

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
KEY = "robo_poet.exchange"  # in ASGI's scope


@dataclass(slots=True)
class Exchange:
    """What is known of a request.

    Attributes:
        id: the reader's X-Request-ID, or ours.
        ip: who asks, behind the proxies that are trusted.
        route: name for metrics.
        began: `time.perf_counter` at the first byte.
        status: HTTP's; 499 is ours for a client who left.
    """

    id: str
    ip: str
    route: str
    began: float = field(default_factory=time.perf_counter)
    status: int = 0
    code: str = ""
    user: str = ""
    credential: str = ""
    completion: str = ""
    version: int | None = None
    arm: str = "none"
    rule: str = ""
    parameters: Mapping[str, float | bool] = field(default_factory=dict)
    prompt_tokens: int = 0
    tokens: int = 0
    prompt: str | None = None
    completions: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self.began


def exchange_of(scope: Scope) -> Exchange:
    """The request's, put there by `Front`."""
    found: Exchange = scope[KEY]
    return found


def request_id(given: str | None) -> str:
    """`given` if it is a name that can stand in a log (1 to 64 letters, digits, `.`, `_`, `-`), else a new one of 16 hexadecimal digits."""
    return given if given is not None and _ID.fullmatch(given) else secrets.token_hex(8)
