"""The Docker engine through its command line, and the label that says which process owns a container."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_poet.errors import BadInput

TIMEOUT = 120.0  # seconds; an engine that does not answer so simple a question is as good as none


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Engine:
    """What an engine is: its version, its CPU cores, whether containers can use NVIDIA GPUs, and whether it runs without root's rights."""

    version: str
    cores: int
    nvidia: bool
    rootless: bool


def call(*arguments: str, input: bytes | None = None, timeout: float | None = TIMEOUT) -> Answer:
    """Run `docker` with `arguments` to its end, whatever its exit status.

    Args:
        timeout: seconds; none waits for ever, as a build needs, and lets Ctrl-C end the command.

    Raises:
        BadInput: there is no `docker` on the PATH, or it does not end in time.
    """
    try:
        done = subprocess.run(
            ["docker", *arguments],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            timeout=timeout,
            start_new_session=timeout is not None,  # Ctrl-C is for us, who then end containers in order
        )
    except FileNotFoundError:
        raise _none("the program docker is not installed") from None
    except subprocess.TimeoutExpired:
        raise _none(f"the engine did not answer `docker {arguments[0]}` within {timeout:g} s") from None
    return Answer(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def find() -> Engine:
    """The engine that answers.

    Raises:
        BadInput: none does.
    """
    answer = call("info", "--format", "{{json .}}", timeout=20)
    info = json.loads(answer.out) if answer.out.startswith("{") else {}
    if not info.get("ServerVersion"):
        raise _none("no Docker engine answers")
    rootless = any("rootless" in option for option in info.get("SecurityOptions") or ())
    return Engine(info["ServerVersion"], int(info["NCPU"]), "nvidia" in (info.get("Runtimes") or {}), rootless)


def images(names: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """What the engine knows of those of the images that it has: `Id`, `Size` in bytes, `Config` with `Labels`."""
    found = {}
    for name in names:  # one at a time: an answer for several does not say which name each was asked by
        answer = call("image", "inspect", name)
        if answer.status == 0:
            found[name] = json.loads(answer.out)[0]
    return found


def labels(image: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels of an image, as `images` gives it."""
    return image["Config"].get("Labels") or {}


def _none(what: str) -> BadInput:
    where = os.environ.get("DOCKER_HOST", "docker")
    return BadInput(what, where=where, remedy="start one, or let DOCKER_HOST name one; RUNNER=process needs none")


LABEL = "robo-poet.owner"


@dataclass(frozen=True)
class Owner:
    """A process: the boot and the process namespace that its number counts in, the number, and its start in clock ticks after boot."""

    boot: str
    namespace: str
    pid: int
    start: str

    @classmethod
    def me(cls) -> "Owner":
        """This process."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return cls(boot, str(Path("/proc/self/ns/pid").readlink()), os.getpid(), _start(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> "Owner | None":
        """The owner that a label names, or nothing if it is no label of ours."""
        parts = text.split("/")
        return cls(parts[0], parts[1], int(parts[2]), parts[3]) if len(parts) == 4 and parts[2].isdigit() else None

    def __str__(self) -> str:
        return f"{self.boot}/{self.namespace}/{self.pid}/{self.start}"

    def dead(self) -> bool:
        """Whether it has certainly ended: of an owner that cannot be seen from here, nothing is certain."""
        here = Owner.me()
        return (self.boot, self.namespace) == (here.boot, here.namespace) and _start(self.pid) != self.start


def _start(pid: int) -> str:
    """When a process began, in clock ticks after boot; empty if there is none, or only a zombie is left."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else fields[18]


def remove_leftovers() -> list[str]:
    """Remove the containers of dead owners, running or not, and those that a reboot ended; returns their ids."""
    shown = '{{.ID}} {{.State}} {{.Label "LABEL"}}'.replace("LABEL", LABEL)
    listed = call("ps", "--all", "--no-trunc", f"--filter=label={LABEL}", "--format", shown)
    left = []
    for line in listed.out.splitlines():
        number, state, *label = line.split()
        owner = Owner.parse(label[0]) if label else None
        if owner and (owner.dead() or (owner.boot != Owner.me().boot and state not in ("running", "paused", "restarting"))):
            left.append(number)
    if left:
        call("rm", "--force", *left)
    return left
