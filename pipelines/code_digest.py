"""A step's code as one digest: its image tag, and part of its cache key (contract 3)."""

from functools import cache
from pathlib import Path

import grimp

from pipelines.steps import GROUPS
from robo_poet.digest import digest_file, digest_json

ROOT = Path(__file__).resolve().parents[1]
TAG_LENGTH = 16


@cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph("components", "robo_poet", cache_dir=None)


def lock_file(group: str) -> Path:
    """The lock of a dependency group."""
    return ROOT / "requirements" / f"{group}.txt"


def step_files(step: str, group: str = "") -> list[Path]:
    """All files that decide what a step does, sorted: its folder, what it imports of the library, the lock of its group.

    Args:
        group: dependency group of its image, where that is not the step's own, as for a GPU.

    Its `component.py` is left out: how the step is called is in the compiled pipeline, and so in the cache key already.
    """
    folder = ROOT / "components" / step
    files = {p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc" and p.name != "component.py"}
    modules = {m for m in _imports().modules if m.startswith(f"components.{step}.") and not m.endswith(".component")}
    for module in modules | {up for m in modules for up in _imports().find_upstream_modules(m)}:
        parts = module.split(".")
        for end in range(1, len(parts) + 1):  # importing a.b.c runs a/__init__ and a/b/__init__ too
            path = ROOT.joinpath(*parts[:end])
            files.add(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
    return sorted(p for p in files | {lock_file(group or GROUPS[step])} if p.name != "component.py")


def step_digest(step: str, group: str = "") -> str:
    """SHA-256 over the names and contents of `step_files`.

    Raises:
        FileNotFoundError: a lock is missing; `make lock` writes them.
    """
    return digest_json([[p.relative_to(ROOT).as_posix(), digest_file(p)] for p in step_files(step, group)])


def image(step: str, prefix: str, group: str = "") -> str:
    """The step's image: `prefix/step:tag`, the tag its content. See `step_files` for `group`."""
    return f"{prefix}/{step}:{step_digest(step, group)[:TAG_LENGTH]}"
