"""Verify a registered version's files and make it the canary, or the first champion."""

import sys
from collections.abc import Sequence

from components.deploy_canary.deploy import work
from robo_poet.step import program


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parameters = {"registry": str, "version": str, "version_digest": str, "who": str}
    return program("deploy_canary", work, argv, description=__doc__, parameters=parameters)


if __name__ == "__main__":
    sys.exit(main())
