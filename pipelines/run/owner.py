"""Whose a container is: the process that started it, told apart from every other, also from a later one of the same number."""

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.run import engine

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
    listed = engine.call("ps", "--all", "--no-trunc", f"--filter=label={LABEL}", "--format", shown)
    left = []
    for line in listed.out.splitlines():
        number, state, *label = line.split()
        owner = Owner.parse(label[0]) if label else None
        if owner and (owner.dead() or (owner.boot != Owner.me().boot and state not in ("running", "paused", "restarting"))):
            left.append(number)
    if left:
        engine.call("rm", "--force", *left)
    return left
