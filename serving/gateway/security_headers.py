"""Headers that keep a browser from doing more with our answers than we meant (SERVE-3)."""

from collections.abc import Sequence

Header = tuple[bytes, bytes]

# An answer of the API is data: nothing in it is to be run, framed or guessed at. The page brings its own policy.
_ALWAYS: Sequence[Header] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class SecurityHeaders:
    """What is added to each answer that does not say it itself.

    Args:
        hsts_seconds: of Strict-Transport-Security, on HTTPS alone; 0 for none.
    """

    def __init__(self, hsts_seconds: int) -> None:
        self._https = (*_ALWAYS, *([(b"strict-transport-security", b"max-age=%d" % hsts_seconds)] if hsts_seconds else []))

    def added(self, given: Sequence[Header], scheme: str) -> list[Header]:
        """`given` and what is missing in it."""
        names = {name.lower() for name, _ in given}
        return [*given, *(header for header in (self._https if scheme == "https" else _ALWAYS) if header[0] not in names)]
