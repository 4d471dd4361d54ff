"""The refusal for credentials that cannot be checked, because the known keys are too old."""

from serving.refusal import Refused

RETRY_SECONDS = 10


def unchecked() -> Refused:
    """Return a refusal with status 503: the client's credentials may be valid, but our keys cannot be read."""
    message = f"credentials cannot be checked just now; try again in {RETRY_SECONDS} s"
    return Refused(503, "credentials_unchecked", message, {"Retry-After": str(RETRY_SECONDS)})
