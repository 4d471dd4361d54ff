"""Who gives the commands, for the registry's log."""

import getpass
import os


def who() -> str:
    """The user's name; a container may run under a number that has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
