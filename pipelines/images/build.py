"""Build the images of steps and servers with the Docker engine, and create the runner that uses them. Unchanged images are reused."""

import json
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.images.context import RECIPE, program_context, recipe_digest
from pipelines.images.environment import FAMILIES, Environments, check
from pipelines.images.programs import ON_BEAM, ON_GPU, ROOT, TAG_LENGTH, image, lock_file, program_digest
from pipelines.images.sbom import sbom
from pipelines.run.container import engine
from pipelines.run.container.docker import DockerRunner, Mount
from pipelines.steps import GROUPS, SIGNERS
from robo_poet.atomic import write_text
from robo_poet.digest import digest_file
from robo_poet.errors import BadInput
from robo_poet.registry.trust.trust import Trust

# The first is python:3.11-slim (3.11.16, Debian 13) of 2026-08-16, for all architectures. infra/images/base.sh makes the second.
BASES = ("python:3.11-slim@sha256:9c900dea9e8fb7e16277c179b555cc72d29a352dbc33cff48ad5a0412fd5bfc7", "robo-poet/base:bookworm")
_PINNED = re.compile(r".+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Built:
    """An image that is in the container engine after `make_images`.

    Attributes:
        size: bytes that the image adds to the base image.
        state: `built` (new) or `found` (it already existed).
        seconds: time that the build or the search took.
    """

    program: str
    image: str
    group: str
    size: int
    state: str
    seconds: float


def expected_labels(name: str) -> dict[str, str]:
    """Return the labels that the image `prefix/step:tag` must have to match the code of this folder.

    Raises:
        BadInput: no such step, or the tag belongs to other code than this folder's.
    """
    step, _, tag = name.rpartition("/")[2].partition(":")
    if step not in GROUPS:
        raise BadInput(f"no such step: {step}", where=name, remedy=f"the steps are {', '.join(GROUPS)}")
    for group in (GROUPS[step], ON_GPU.get(GROUPS[step], ""), ON_BEAM.get(GROUPS[step], "")):
        if group and program_digest(step, group)[:TAG_LENGTH] == tag:
            return labels_of(step, group)
    raise BadInput("the pipeline was compiled from different code than in this folder", where=name, remedy="compile it again")


def labels_of(program: str, group: str) -> dict[str, str]:
    """Return the labels of an image: the digests of the program's code, of its lock and of the recipe."""
    digests = {"code": program_digest(program, group), "lock": digest_file(lock_file(group)), "recipe": recipe_digest()}
    return {f"robo-poet.{key}": value for key, value in digests.items()}


def check_pinned(base: str) -> None:
    """Check that the base image of images for a cluster cannot change: a digest names it, or it is a default.

    Raises:
        BadInput: `base` is a tag. Its content is what the container registry delivers that day.
    """
    if base and base not in BASES and not _PINNED.fullmatch(base):
        remedy = "set BASE_IMAGE to NAME@sha256:DIGEST (docker image inspect shows RepoDigests), or pass --unpinned-base"
        raise BadInput("images for a cluster need a base image that a digest names, because a tag can change", where=base, remedy=remedy)


def choose_base(wanted: str) -> tuple[str, Mapping[str, Any]]:
    """Return name and `docker image inspect` data of the base image: `wanted`, or the first of `BASES` that the engine has.

    If the engine has none of them, the first is pulled.

    Raises:
        BadInput: the engine has no such image and cannot pull it.
    """
    names = (wanted,) if wanted else BASES
    available = engine.images(names)
    if not available:
        answer = engine.call("pull", "--quiet", names[0], timeout=600)
        if answer.status:
            reason = (answer.err.strip().splitlines() or ["?"])[-1].removeprefix("Error response from daemon: ")
            remedy = "set BASE_IMAGE, or build a base without a registry: infra/images/base.sh (docs/how-to/images.md)"
            raise BadInput(f"the base image is missing and cannot be pulled: {reason}", where=names[0], remedy=remedy)
        available = engine.images(names[:1])
    name = next(name for name in names if name in available)
    return name, available[name]


def make_images(
    groups: Mapping[str, str],
    *,
    prefix: str,
    base: str = "",
    out: Path = ROOT / "build",
    say: Callable[[str], None] = lambda text: None,
    parallel: int = 2,
) -> list[Built]:
    """Build the missing images, and write the bill of materials of each image to `out/sbom/<program>.json`.

    Args:
        groups: program → dependency group of its image.
        prefix: image name before `/<program>`.
        base: base image; see `choose_base`.
        say: called with the name of each image when its build starts, from any thread.
        parallel: number of groups built at the same time. More than one is faster, because builds wait for downloads.

    Returns:
        One entry per program, in the order of `groups`.

    Raises:
        BadInput: there is no engine or no base image, or a build failed; its output is in `out/images/<program>.log`.
    """
    engine.find()
    base, base_data = choose_base(base)
    names = {program: image(program, prefix, group) for program, group in groups.items()}

    order = sorted(dict.fromkeys(groups.values()), key=_build_order)

    with Environments(prefix, base, base_data, out / "images", say) as environments, ThreadPoolExecutor(parallel) as pool:

        def make(group: str) -> list[Built]:
            group_programs = (program for program in groups if groups[program] == group)
            return [_make(program, group, names[program], base_data, environments, out, say) for program in group_programs]

        built = [entry for images in pool.map(make, order) for entry in images]
    return sorted(built, key=lambda entry: list(groups).index(entry.program))


def _build_order(group: str) -> tuple[bool, int]:
    """Return the sort key of a group: the largest group of each family first, as the others reuse its layers; then large before small."""
    reuses_layers = any(group in family and group != max(family, key=_size) for family in FAMILIES)
    return reuses_layers, -_size(group)


def _size(group: str) -> int:
    return lock_file(group).read_text("utf-8").count("==")


def _make(
    program: str, group: str, name: str, base_data: Mapping[str, Any], environments: Environments, out: Path, say: Callable[[str], None]
) -> Built:
    started = time.monotonic()
    labels = {**labels_of(program, group), "robo-poet.base": base_data["Id"]}
    image_data = engine.images([name]).get(name)
    reusable = image_data is not None and labels.items() <= engine.labels(image_data).items()
    if not reusable:
        environment = environments.get(group)
        say(name)
        _build(program, group, name, environment, labels, out / "images" / f"{program}.log")
        image_data = engine.images([name])[name]
    assert image_data is not None
    write_text(out / "sbom" / f"{program}.json", json.dumps(sbom(program, labels["robo-poet.code"], lock_file(group)), indent=1))
    return Built(program, name, group, image_data["Size"] - base_data["Size"], "found" if reusable else "built", time.monotonic() - started)


def _build(program: str, group: str, name: str, environment: str, labels: Mapping[str, str], log: Path) -> None:
    arguments = {"ENVIRONMENT": environment, "PROGRAM": program, "VERSION": name.rpartition(":")[2]}
    arguments |= {key.rpartition(".")[2].upper(): value for key, value in labels.items()}
    options = [f"--build-arg={key}={value}" for key, value in arguments.items()]
    answer = engine.call(
        "build", "--network=none", "--force-rm", f"--file={RECIPE[0]}", f"--tag={name}", *options, "-",
        input=program_context(program, group), timeout=None,
    )  # fmt: skip
    check(answer, name, log)


READ, WRITTEN = ("source", "suppression", "live_text", "warm_start"), ("registry", "checkpoint_root")


def docker_runner(parameters: Mapping[str, Any]) -> DockerRunner:
    """Return the runner for a run with these parameters. It mounts the paths that a step gets as arguments.

    `source`, `suppression`, `live_text` and `warm_start` are mounted read-only, `registry` and `checkpoint_root` writable. Steps that use
    the registry get the trusted keys and the remembered heads; only steps that write to it get the signing key.

    Raises:
        BadInput: a parameter is a bucket address, which a container without a network cannot reach; or there is no signing key.
    """
    mounts = []
    for name in (*READ, *WRITTEN):
        value = str(parameters.get(name, ""))
        if "://" in value:
            remedy = "copy it to this machine, or use RUNNER=process or RUNNER=cluster"
            raise BadInput("containers have no network and cannot read it", where=f"{name} {value}", remedy=remedy)
        if value and Path(value).is_absolute():  # a relative path is inside the step's working folder
            mounts.append(Mount(Path(value), writable=name in WRITTEN))
    registry = str(parameters.get("registry", ""))
    if not registry or not Path(registry).is_absolute():
        return DockerRunner(expected_labels, mounts)
    trust = Trust()
    trust.signer()  # the first use makes the key: here, because a step cannot
    mounts.append(Mount(trust.heads.folder, writable=True, wanted=lambda job: registry in job.argv))
    mounts += [Mount(path, wanted=lambda job: registry in job.argv) for path in trust.public_files()]
    mounts.append(Mount(trust.key_file, wanted=lambda job: registry in job.argv and _program(job.image) in SIGNERS))
    return DockerRunner(expected_labels, mounts, trust.variables())


def _program(image: str) -> str:
    """Return the step of an image `<prefix>/<step>:<tag>`."""
    return image.rpartition("/")[2].partition(":")[0]
