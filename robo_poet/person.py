"""The name of the current user, for the registry's log."""

import getpass
import os


def who() -> str:
    """Return the user's name, or `uid <number>` if the user has no name, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
