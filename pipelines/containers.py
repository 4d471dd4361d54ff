"""The Docker runner of a training run: the labels of our images, and the paths among the run's parameters that steps must reach."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.images import expected_labels
from pipelines.run.docker import DockerRunner, Mount
from robo_poet.errors import BadInput

READ, WRITTEN = ("source", "warm_start"), ("registry", "checkpoint_root")


def docker_runner(parameters: Mapping[str, Any]) -> DockerRunner:
    """A runner for a run with these parameters: the corpus can be read, registry and checkpoints can be written, by the steps they go to.

    Raises:
        BadInput: a parameter is an address in a bucket, which a container without a network cannot reach.
    """
    mounts = []
    for name in (*READ, *WRITTEN):
        value = str(parameters.get(name, ""))
        if "://" in value:
            remedy = "copy it to this machine, or use RUNNER=process or RUNNER=cluster"
            raise BadInput("containers run without a network here and cannot reach it", where=f"{name} {value}", remedy=remedy)
        if value and Path(value).is_absolute():  # a relative one lies in the step's working folder
            mounts.append(Mount(Path(value), writable=name in WRITTEN))
    return DockerRunner(expected_labels, mounts)
