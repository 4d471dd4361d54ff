"""Make a model a version of the registry: a candidate, or rejected with the gates' reason."""

import sys
from collections.abc import Sequence

from components.register_model.component import register_model
from components.register_model.register import work
from robo_poet.step.program import program


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return program(register_model, work, argv)


if __name__ == "__main__":
    sys.exit(main())
