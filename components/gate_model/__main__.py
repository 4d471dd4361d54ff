"""Judge a model's evaluation by the gates of the profile."""

import sys
from collections.abc import Sequence

from components.gate_model.component import gate_model
from components.gate_model.gate import work
from robo_poet.step.program import program


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return program(gate_model, work, argv)


if __name__ == "__main__":
    sys.exit(main())
