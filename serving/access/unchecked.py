"""What is said where credentials cannot be checked: nobody comes in on what is too old to be believed."""

from serving.refusal import Refused

RETRY_SECONDS = 10


def unchecked() -> Refused:
    """Theirs may be good; it is ours that cannot be read."""
    told = f"credentials cannot be checked just now; try again in {RETRY_SECONDS} s"
    return Refused(503, "credentials_unchecked", told, {"Retry-After": str(RETRY_SECONDS)})
