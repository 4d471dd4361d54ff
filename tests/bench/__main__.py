"""`python -m tests.bench NAME …`: run benchmarks, one after another; without a name, all of them."""

import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
NAMES = (
    "train", "learn", "decode", "edge", "serve", "overload", "shadow", "soak", "containers", "pii", "near_duplicates", "scale", "drift",
)  # fmt: skip


def main(names: list[str]) -> int:
    """Returns the exit status."""
    wrong = [name for name in names if name not in NAMES]
    if wrong:
        print(f"error: BENCH={wrong[0]}: no such benchmark; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    from robo_poet.errors import BadInput
    from robo_poet.process import silent_stderr
    from tests.bench.frame import tell

    status = 0
    for name in names or NAMES:
        with silent_stderr():
            import tensorflow  # noqa: F401
        try:
            rows = importlib.import_module(f"tests.bench.{name}").run()
        except BadInput as error:  # such as no engine here; the others run all the same
            print(f"{name}: {error}", file=sys.stderr)
            status = 2
            continue
        tell(name, rows, Path("build/bench"))
    return status


if __name__ == "__main__":
    sys.exit(main([name for name in sys.argv[1:] if name]))
