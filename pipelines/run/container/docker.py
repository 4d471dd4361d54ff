"""Runs a step's container in a Docker engine (PIPE-1): image, command and limits of the cluster, on the folders of this machine.

Folders are mounted at the paths they have here, so that a step's arguments, and with them its results, are those of the process runner.
"""

import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.run.container import engine
from pipelines.run.container.engine import LABEL, Owner, remove_leftovers
from pipelines.run.execution.process import FIXED, Job
from pipelines.run.ir.steps import Container, Resources
from pipelines.run.quantity import quantity
from robo_poet.errors import BadInput
from robo_poet.process import dies_with_parent

ENVIRONMENT = {**FIXED, "LANG": "C.UTF-8", "HOME": "/tmp"}
# Waits until our end of its input closes, as it does even if we are killed, and then removes the container. It holds the lock of the
# working folder all the while, so that nobody else starts in there before the container is gone.
_GUARD = 'read -r _; exec docker rm --force "$0"'
OTHERS = {"robo-poet.code": "other code", "robo-poet.lock": "another lock", "robo-poet.recipe": "another recipe"}


@dataclass(frozen=True)
class Mount:
    """A folder or file outside the working folder that a step reaches if one of its arguments is that very path.

    Args:
        writable: a step may write there; a folder that is not there yet is made, as a step would make it.
    """

    path: Path
    writable: bool = False


class DockerRunner:
    """Steps as containers without a network; one runner serves one run at a time.

    Args:
        labels: image → the labels that it must have, such as the digest of its lock; raises BadInput for an image it does not know.
        mounts: what steps reach besides their inputs and their working folder.
        environment: variables that steps get besides those of `ENVIRONMENT`.
        grace: seconds between SIGTERM and SIGKILL on cancellation.
        user: uid and gid that steps run as, and own what they write; the caller's if not given.
    """

    def __init__(
        self,
        labels: Callable[[str], Mapping[str, str]],
        mounts: Sequence[Mount] = (),
        environment: Mapping[str, str] | None = None,
        grace: float = 5.0,
        user: tuple[int, int] | None = None,
    ) -> None:
        self.labels, self.mounts, self.grace = labels, tuple(mounts), grace
        self.environment = {**ENVIRONMENT, **(environment or {})}
        self.user = user
        self.engine: engine.Engine | None = None

    def check(self, container: Container) -> None:
        """See `Runner.check`. The first call of a run also removes what a killed executor left."""
        image, limits = container.image, container.resources
        if not container.command:
            raise BadInput("a container without a command says nothing of what to run", where=image)
        if self.engine is None:
            self.engine = engine.find()
            remove_leftovers()
        found = engine.images([image]).get(image)
        if found is None:
            raise BadInput("the engine has no such image", where=image, remedy="run make images")
        wrong = [key for key, value in self.labels(image).items() if engine.labels(found).get(key) != value]
        if wrong:
            what = OTHERS.get(wrong[0], f"another {wrong[0]}")
            raise BadInput(f"the image was built for {what}", where=image, remedy="run make images")
        if limits.gpu and not self.engine.nvidia:
            remedy = "install NVIDIA's container toolkit, or choose a profile without GPUs"
            raise BadInput("it asks for a GPU, which this engine cannot give", where=image, remedy=remedy)
        self._limits(image, limits)

    def run(self, job: Job, cancel: threading.Event) -> int:
        """See `Runner.run`. Nothing of the container is left when this returns; a killed executor takes it along."""
        name = f"robo-poet-{secrets.token_hex(8)}"
        for mount in self.mounts:
            if mount.writable and str(mount.path) in job.argv:
                mount.path.mkdir(parents=True, exist_ok=True)
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("ab") as log, _removed(name, job.lock):
            process = subprocess.Popen(
                ["docker", "run", "--name", name, *self.options(job), job.image, *job.argv[1:]],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, pass_fds=(job.lock,),
                preexec_fn=dies_with_parent(signal.SIGKILL),  # or it could still start what the guard has looked for in vain
            )  # fmt: skip
            try:
                self._wait(process, name, cancel)
            finally:
                process.kill()
                process.wait()
            status, out_of_memory = _ended(name, process.returncode)
            if out_of_memory and not cancel.is_set():
                limit = job.resources.memory
                log.write(f"error: out of memory: the limit of {limit} was reached; raise the step's cluster.resources\n".encode())
        return status

    def close(self) -> None:
        """Ask the engine anew at the next run."""
        self.engine = None

    def options(self, job: Job) -> list[str]:
        """How `docker run` is to run a job."""
        rootless = self.engine is not None and self.engine.rootless  # its root is the caller outside, and no other uid is
        uid, gid = self.user or ((0, 0) if rootless else (os.getuid(), os.getgid()))
        mounts = [(job.cwd, True), *((path, False) for path in job.reads)]
        mounts += [(mount.path, mount.writable) for mount in self.mounts if str(mount.path) in job.argv]
        return [
            "--pull=never", "--init", "--network=none", "--read-only", "--tmpfs=/tmp:exec,mode=1777", "--log-driver=none",
            "--cap-drop=ALL", "--security-opt=no-new-privileges", "--security-opt=label=disable",  # or SELinux forbids the mounts
            f"--label={LABEL}={Owner.me()}", f"--user={uid}:{gid}", f"--workdir={job.cwd}", f"--entrypoint={job.argv[0]}",
            *self._limits(job.image, job.resources),
            *(f"--env={key}={value}" for key, value in {**self.environment, **job.env}.items()),
            *(f"--mount={_mount(path, writable)}" for path, writable in dict.fromkeys(mounts)),
        ]  # fmt: skip

    def _limits(self, image: str, limits: Resources) -> list[str]:
        """An engine refuses more cores than it has; swap would make the memory limit no limit."""
        options = []
        if limits.cpu:
            cores = quantity(limits.cpu, image)
            options.append(f"--cpus={min(cores, self.engine.cores) if self.engine else cores:g}")
        if limits.memory:
            size = int(quantity(limits.memory, image))
            options += [f"--memory={size}", f"--memory-swap={size}"]
        return [*options, f"--gpus={limits.gpu}"] if limits.gpu else options

    def _wait(self, process: "subprocess.Popen[bytes]", name: str, cancel: threading.Event) -> None:
        """Until the container has ended; on cancellation it is asked to, then made to."""
        while process.poll() is None:
            if not cancel.wait(0.05):
                continue
            if engine.call("stop", "-t", str(round(self.grace)), name).status:  # not there yet: the engine is still making it
                time.sleep(0.1)
            else:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(5)
                return


@contextmanager
def _removed(name: str, lock: int) -> Iterator[None]:
    """Remove the container `name` at the end, whatever the end is."""
    guard = subprocess.Popen(
        ["sh", "-c", _GUARD, name], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, pass_fds=(lock,),
    )  # fmt: skip
    assert guard.stdin
    try:
        yield
    finally:
        guard.stdin.close()
        if guard.wait():  # there was none to remove, or somebody killed the guard
            engine.call("rm", "--force", name)


def _ended(name: str, status: int) -> tuple[int, bool]:
    """How a container ended, as `Runner.run` says it, and whether it hit its memory limit; without one, how the command line ended."""
    answer = engine.call("inspect", "--type=container", "--format={{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}", name)
    state = answer.out.split()
    if state[:1] == ["exited"]:
        status = int(state[1])
    if status - 128 in {number.value for number in signal.Signals}:  # the engine's way to say that a signal ended it
        status = 128 - status
    return status, state[2:] == ["true"]


def _mount(path: Path, writable: bool) -> str:
    """A bind mount as the command line wants it: comma-separated, quoted as in a CSV file."""
    fields = ["type=bind", f"source={path}", f"target={path}", *([] if writable else ["readonly"])]
    return ",".join('"' + field.replace('"', '""') + '"' if set(field) & set(',"\n') else field for field in fields)
