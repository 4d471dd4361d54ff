"""Programs that become images: each step and each server, with dependency group, content digest and local interpreter (contract 3).

The digest covers the program's packages, the modules of this repository that they import, and the lock of the group. It is the
image tag and part of the cache key of a step.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import grimp

from pipelines.steps import GROUPS
from robo_poet.commands import make
from robo_poet.digest import digest_file, digest_json
from robo_poet.errors import BadInput


@dataclass(frozen=True)
class Program:
    """The content of one image.

    Attributes:
        packages: packages that are run with `python -m`: first the program, then programs that it starts.
        group: dependency group.
    """

    packages: tuple[str, ...]
    group: str


SERVING = {
    "gateway": Program(("serving.gateway", "robo_poet.request_log"), "gateway"),
    "model_server": Program(("serving.model_server",), "model-server"),
    "model_sync": Program(("serving.model_sync",), "model-sync"),
}
PROGRAMS = {**{step: Program((f"components.{step}",), group) for step, group in GROUPS.items()}, **SERVING}


ROOT = Path(__file__).resolve().parents[2]
TAG_LENGTH = 16


@cache
def _imports() -> grimp.ImportGraph:
    return grimp.build_graph("components", "serving", "monitoring", "robo_poet", cache_dir=None)


def lock_file(group: str) -> Path:
    """Return the path of the lock of a dependency group."""
    return ROOT / "requirements" / f"{group}.txt"


def program_files(name: str, group: str = "") -> list[Path]:
    """Return all files that determine what a program does, sorted.

    These are its packages, the modules of this repository that they import, data files next to them, and the lock of the group.

    Args:
        name: a step or a server.
        group: dependency group of the image, if it differs from the program's own group, as for a GPU.
    """
    program = PROGRAMS[name]
    modules = {module for package in program.packages for module in {package} | _imports().find_descendants(package)}
    files = {lock_file(group or program.group)}
    for module_name in modules | {upstream for module in modules for upstream in _imports().find_upstream_modules(module)}:
        parts = module_name.split(".")
        for end in range(1, len(parts) + 1):  # importing a.b.c runs a/__init__ and a/b/__init__ too
            path = ROOT.joinpath(*parts[:end])
            module_file = path.with_suffix(".py")  # a data folder may have the same name
            files |= {module_file} if module_file.is_file() else {path / "__init__.py", *_data(path)}
    return sorted(files)


def program_digest(name: str, group: str = "") -> str:
    """Return the SHA-256 over the names and contents of `program_files`.

    Raises:
        FileNotFoundError: a lock is missing; `make lock` writes them.
    """
    return digest_json([[p.relative_to(ROOT).as_posix(), digest_file(p)] for p in program_files(name, group)])


def image(name: str, prefix: str, group: str = "") -> str:
    """Return the image name `prefix/name:tag`. The tag is the first 16 digits of `program_digest`; see `program_files` for `group`."""
    return f"{prefix}/{name}:{program_digest(name, group)[:TAG_LENGTH]}"


def _data(package: Path) -> Iterator[Path]:
    """Yield the data files of a package, such as word lists or the files of a page."""
    for path in package.iterdir():
        if path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data(path)


APART = "validate"  # its own environment: TFDV needs an older TensorFlow than all other groups
ON_GPU = {"train": "train-gpu", "evaluate": "evaluate-gpu"}  # the same packages plus TensorFlow's CUDA libraries
ON_BEAM = {"data": "data-beam", "scrub": "scrub-beam"}  # the same packages plus Apache Beam and Dask


def group(step: str, gpu: bool = False, beam: bool = False) -> str:
    """Return the dependency group of a step's image. With `gpu` or `beam`, this is that variant, if the group has one."""
    default = GROUPS[step]
    if gpu and default in ON_GPU:
        return ON_GPU[default]
    return ON_BEAM.get(default, default) if beam else default


def interpreter(image: str) -> Path:
    """Return the local Python interpreter for an image such as `robo-poet/ingest:0a1b…`.

    Raises:
        BadInput: no such step, or its environment is not set up.
    """
    step = image.rsplit("/", 1)[-1].split(":")[0]
    if step not in GROUPS:
        raise BadInput(f"no such step: {step}", where=image, remedy=f"the steps are {', '.join(GROUPS)}")
    if GROUPS[step] != APART:
        return Path(sys.executable)
    python = ROOT / f".venv-{APART}" / "bin" / "python"
    if not python.exists():
        raise BadInput(f"the step's environment {python.parents[1].name} is missing", where=step, remedy=f"run {make('setup')}")
    return python
