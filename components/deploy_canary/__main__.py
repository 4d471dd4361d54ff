"""Verify a registered version's files and make it the canary, or the first champion."""

import sys
from collections.abc import Sequence

from components.deploy_canary.component import deploy_canary
from components.deploy_canary.deploy import work
from robo_poet.step.program import program


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return program(deploy_canary, work, argv)


if __name__ == "__main__":
    sys.exit(main())
