"""Make a model a version of the registry: a candidate, or rejected with the gates' reason."""

import sys
from collections.abc import Sequence

from components.register_model.register import FILES, work
from robo_poet.step import program


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return program(
        "register_model",
        work,
        argv,
        description=__doc__,
        inputs=list(FILES.values()),
        parameters={"corpus_digest": str, "scrubbed_digest": str, "registry": str, "lineage": str, "who": str},
    )


if __name__ == "__main__":
    sys.exit(main())
