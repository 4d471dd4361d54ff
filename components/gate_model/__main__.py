"""Judge a model's evaluation by the gates of the profile."""

import sys
from collections.abc import Sequence

from components.gate_model.gate import work
from robo_poet.step import program


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return program(
        "gate_model",
        work,
        argv,
        description=__doc__,
        inputs=["evaluation", "text_metrics", "model_audit", "slices", "comparison"],
        outputs=["decision"],
        views=["metrics"],
        parameters={"gates": str},
    )


if __name__ == "__main__":
    sys.exit(main())
