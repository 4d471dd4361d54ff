"""The Docker engine, called through its command line, and the label that names the owner process of a container."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput

TIMEOUT = 120.0  # seconds; an engine that takes longer for a simple query counts as missing


@dataclass(frozen=True)
class Answer:
    """The exit status and output of a command."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Engine:
    """The properties of an engine: version, CPU cores, NVIDIA GPU support in containers, and whether it is rootless."""

    version: str
    cores: int
    nvidia: bool
    rootless: bool


def call(*arguments: str, input: bytes | None = None, timeout: float | None = TIMEOUT) -> Answer:
    """Run `docker` with `arguments` and return its exit status and output.

    Args:
        input: bytes for its standard input.
        timeout: seconds. None means no limit, as a build needs, and lets Ctrl-C end the command.

    Raises:
        BadInput: `docker` is not on the PATH, or it does not end within `timeout`.
    """
    try:
        completed = subprocess.run(
            ["docker", *arguments],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            timeout=timeout,
            start_new_session=timeout is not None,  # Ctrl-C must not reach docker: the executor stops containers itself
        )
    except FileNotFoundError:
        raise _engine_error("the docker command is not installed") from None
    except subprocess.TimeoutExpired:
        raise _engine_error(f"the engine did not respond to `docker {arguments[0]}` within {timeout:g} s") from None
    return Answer(completed.returncode, completed.stdout.decode("utf-8", "replace"), completed.stderr.decode("utf-8", "replace"))


def find() -> Engine:
    """Return the properties of the running engine.

    Raises:
        BadInput: no engine responds.
    """
    answer = call("info", "--format", "{{json .}}", timeout=20)
    info = json.loads(answer.out) if answer.out.startswith("{") else {}
    if not info.get("ServerVersion"):
        raise _engine_error("no Docker engine responds")
    rootless = any("rootless" in option for option in info.get("SecurityOptions") or ())
    return Engine(info["ServerVersion"], int(info["NCPU"]), "nvidia" in (info.get("Runtimes") or {}), rootless)


def images(names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Return name → `docker image inspect` data (`Id`, `Size` in bytes, `Config` with `Labels`). Missing images are left out."""
    data = {}
    for name in names:  # one call per name: the output for several does not name the requested images
        answer = call("image", "inspect", name)
        if answer.status == 0:
            data[name] = json.loads(answer.out)[0]
    return data


def labels(image: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the labels of an image. `image` is one value of the result of `images`."""
    return image["Config"].get("Labels") or {}


def _engine_error(fault: str) -> BadInput:
    where = os.environ.get("DOCKER_HOST", "docker")
    return BadInput(fault, where=where, remedy="start a Docker engine, or set DOCKER_HOST; or use RUNNER=process")


LABEL = "robo-poet.owner"


@dataclass(frozen=True)
class Owner:
    """A process, identified across reboots and PID namespaces.

    Attributes:
        boot: boot id of the kernel.
        namespace: PID namespace.
        pid: process id in this namespace.
        start: start time in clock ticks after boot; needed because a process id can be reused.
    """

    boot: str
    namespace: str
    pid: int
    start: str

    @classmethod
    def me(cls) -> "Owner":
        """Return the owner for this process."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return cls(boot, str(Path("/proc/self/ns/pid").readlink()), os.getpid(), _start(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> "Owner | None":
        """Return the owner from the text of a label, None for other text."""
        fields = text.split("/")
        return cls(fields[0], fields[1], int(fields[2]), fields[3]) if len(fields) == 4 and fields[2].isdigit() else None

    def __str__(self) -> str:
        return f"{self.boot}/{self.namespace}/{self.pid}/{self.start}"

    def dead(self) -> bool:
        """Return True if the process has certainly ended. For another boot or namespace the answer is False, as it cannot be checked."""
        current = Owner.me()
        return (self.boot, self.namespace) == (current.boot, current.namespace) and _start(self.pid) != self.start


def _start(pid: int) -> str:
    """Return the start of a process in clock ticks after boot, empty if there is no such process or it is a zombie."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else fields[18]


def remove_leftovers() -> list[str]:
    """Remove the containers of dead owners, running or not, and stopped containers from before a reboot. Return their ids."""
    template = '{{.ID}} {{.State}} {{.Label "LABEL"}}'.replace("LABEL", LABEL)
    containers = call("ps", "--all", "--no-trunc", f"--filter=label={LABEL}", "--format", template)
    leftovers = []
    for line in containers.out.splitlines():
        container, state, *label = line.split()
        owner = Owner.parse(label[0]) if label else None
        if owner and (owner.dead() or (owner.boot != Owner.me().boot and state not in ("running", "paused", "restarting"))):
            leftovers.append(container)
    if leftovers:
        call("rm", "--force", *leftovers)
    return leftovers
