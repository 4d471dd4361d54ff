"""Programs that become images: each step and each server, with its dependency group, content digest and local interpreter (contract 3).

The digest covers a program's packages, what they import of ours, and the lock of its group. It is the image tag, and part of a step's
cache key.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import grimp

from pipelines.steps import GROUPS
from robo_poet.digest import digest_file, digest_json
from robo_poet.errors import BadInput


@dataclass(frozen=True)
class Program:
    """One image's content.

    Attributes:
        packages: those that are run by `python -m`: the program's own first, then what it starts itself.
        group: its dependency group.
    """

    packages: tuple[str, ...]
    group: str


SERVING = {
    "gateway": Program(("serving.gateway", "robo_poet.request_log"), "gateway"),
    "model_server": Program(("serving.model_server",), "model-server"),
}
PROGRAMS = {**{step: Program((f"components.{step}",), group) for step, group in GROUPS.items()}, **SERVING}


ROOT = Path(__file__).resolve().parents[2]
TAG_LENGTH = 16


@cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph("components", "serving", "robo_poet", cache_dir=None)


def lock_file(group: str) -> Path:
    """The lock of a dependency group."""
    return ROOT / "requirements" / f"{group}.txt"


def program_files(name: str, group: str = "") -> list[Path]:
    """All files that decide what a program does, sorted: its packages, what they import of ours with its data, the lock of its group.

    Args:
        name: a step, or one of the programs that serve.
        group: dependency group of its image, where that is not the program's own, as for a GPU.
    """
    program = PROGRAMS[name]
    own = {module for package in program.packages for module in {package} | _imports().find_descendants(package)}
    files = {lock_file(group or program.group)}
    for dotted in own | {up for one in own for up in _imports().find_upstream_modules(one)}:
        parts = dotted.split(".")
        for end in range(1, len(parts) + 1):  # importing a.b.c runs a/__init__ and a/b/__init__ too
            path = ROOT.joinpath(*parts[:end])
            module = path.with_suffix(".py")  # beside which there may be a folder of that name, with its data
            files |= {module} if module.is_file() else {path / "__init__.py", *_data(path)}
    return sorted(files)


def program_digest(name: str, group: str = "") -> str:
    """SHA-256 over the names and contents of `program_files`.

    Raises:
        FileNotFoundError: a lock is missing; `make lock` writes them.
    """
    return digest_json([[p.relative_to(ROOT).as_posix(), digest_file(p)] for p in program_files(name, group)])


def image(name: str, prefix: str, group: str = "") -> str:
    """The program's image: `prefix/name:tag`, the tag its content. See `program_files` for `group`."""
    return f"{prefix}/{name}:{program_digest(name, group)[:TAG_LENGTH]}"


def _data(package: Path) -> Iterator[Path]:
    """What lies beside a package's modules, such as word lists or the files of a page."""
    for path in package.iterdir():
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data(path)


APART = "validate"  # TFDV needs an older TensorFlow than all the others
ON_GPU = {"train": "train-gpu", "evaluate": "evaluate-gpu"}  # the same packages, and TensorFlow's CUDA libraries


def group(step: str, gpu: bool = False) -> str:
    """The dependency group of a step's image; with a GPU, of the variant that can use one, where there is such a variant."""
    own = GROUPS[step]
    return ON_GPU.get(own, own) if gpu else own


def interpreter(image: str) -> Path:
    """The Python for an image such as `robo-poet/ingest:0a1b…`.

    Raises:
        BadInput: no step of ours, or its environment is not set up.
    """
    step = image.rsplit("/", 1)[-1].split(":")[0]
    if step not in GROUPS:
        raise BadInput(f"no step is called {step}", where=image, remedy=f"the steps are {', '.join(GROUPS)}")
    if GROUPS[step] != APART:
        return Path(sys.executable)
    python = ROOT / f".venv-{APART}" / "bin" / "python"
    if not python.exists():
        raise BadInput("its environment is not set up", where=step, remedy="run make setup")
    return python
