"""The Docker runner: runs a step with the image, command and limits of the cluster, on the folders of this machine (PIPE-1).

Folders are mounted at their local paths. So a step gets the same arguments, and gives the same results, as in the process runner.
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
from pipelines.run.ir.steps import Container, Limits
from pipelines.run.quantity import quantity
from pipelines.run.step_log import StepOutput
from robo_poet.commands import make
from robo_poet.errors import BadInput
from robo_poet.process import dies_with_parent

ENVIRONMENT = {**FIXED, "LANG": "C.UTF-8", "HOME": "/tmp"}
# Waits for end of file on its standard input, which comes even if this process is killed, then removes the container. It holds the lock
# of the working folder until then, so that no other run starts in the folder while the container still exists.
_GUARD = 'read -r _; exec docker rm --force "$0"'
OUTDATED = {"robo-poet.code": "different code", "robo-poet.lock": "another lock file", "robo-poet.recipe": "another recipe"}


@dataclass(frozen=True)
class Mount:
    """A folder or file outside the working folder. It is mounted if an argument of the step equals its path.

    Args:
        writable: steps may write; a missing folder is created.
        wanted: returns True for the jobs that get it, in place of the rule about arguments.
    """

    path: Path
    writable: bool = False
    wanted: Callable[[Job], bool] | None = None

    def belongs_to(self, job: Job) -> bool:
        """Return True if the job gets the mount."""
        return self.wanted(job) if self.wanted else str(self.path) in job.argv


class DockerRunner:
    """A runner that runs steps in containers without a network. One runner serves one run at a time.

    Args:
        labels: returns the required labels of an image, such as the digest of its lock; raises BadInput for an unknown image.
        mounts: folders and files that steps reach in addition to their inputs and their working folder.
        environment: variables for steps, in addition to `ENVIRONMENT`.
        grace: seconds between SIGTERM and SIGKILL on cancellation.
        user: uid and gid of steps and of the files that they write; the default is the caller's.
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
        """See `Runner.check`. The first call of a run also removes the containers of killed executors."""
        image, limits = container.image, container.resources
        if not container.command:
            raise BadInput("the container has no command", where=image)
        if self.engine is None:
            self.engine = engine.find()
            remove_leftovers()
        image_data = engine.images([image]).get(image)
        if image_data is None:
            raise BadInput("the engine has no such image", where=image, remedy=f"run {make('images')}")
        mismatches = [key for key, value in self.labels(image).items() if engine.labels(image_data).get(key) != value]
        if mismatches:
            content = OUTDATED.get(mismatches[0], f"another {mismatches[0]}")
            raise BadInput(f"the image was built for {content}", where=image, remedy=f"run {make('images')}")
        if limits.gpu and not self.engine.nvidia:
            remedy = "install NVIDIA's container toolkit, or choose a profile without GPUs"
            raise BadInput("the step needs a GPU, which this engine does not support", where=image, remedy=remedy)
        self._limits(image, limits)

    def run(self, job: Job, cancel: threading.Event) -> int:
        """See `Runner.run`. The container is removed before this method returns. It is also removed if the executor is killed."""
        name = f"robo-poet-{secrets.token_hex(8)}"
        for mount in self.mounts:
            if mount.writable and mount.belongs_to(job):
                mount.path.mkdir(parents=True, exist_ok=True)
        with StepOutput(job.log) as output, _removal_guard(name, job.lock):
            process = subprocess.Popen(
                ["docker", "run", "--name", name, *self.options(job), job.image, *job.argv[1:]],
                stdin=subprocess.DEVNULL, stdout=output.handle, stderr=output.handle, start_new_session=True, pass_fds=(job.lock,),
                preexec_fn=dies_with_parent(signal.SIGKILL),  # else it could create the container after the guard has tried to remove it
            )  # fmt: skip
            output.started()
            try:
                self._wait(process, name, cancel)
            finally:
                process.kill()
                process.wait()
            status, out_of_memory = _exit_status(name, process.returncode)
            if out_of_memory and not cancel.is_set():
                limit = job.resources.memory
                output.end()  # the error follows the step's own output
                output.write(f"error: out of memory: the limit of {limit} was reached; raise the step's memory in cluster.resources\n")
        return status

    def close(self) -> None:
        """Forget the engine. The next run looks for it again."""
        self.engine = None

    def options(self, job: Job) -> list[str]:
        """Return the options of `docker run` for a job."""
        rootless = self.engine is not None and self.engine.rootless  # here the uid 0 of the container is the caller
        uid, gid = self.user or ((0, 0) if rootless else (os.getuid(), os.getgid()))
        mounts = [(job.cwd, True), *((path, False) for path in job.reads)]
        mounts += [(mount.path, mount.writable) for mount in self.mounts if mount.belongs_to(job)]
        return [
            "--pull=never", "--init", "--network=none", "--read-only", "--tmpfs=/tmp:exec,mode=1777", "--log-driver=none",
            "--cap-drop=ALL", "--security-opt=no-new-privileges", "--security-opt=label=disable",  # else SELinux blocks the mounts
            f"--label={LABEL}={Owner.me()}", f"--user={uid}:{gid}", f"--workdir={job.cwd}", f"--entrypoint={job.argv[0]}",
            *self._limits(job.image, job.resources),
            *(f"--env={key}={value}" for key, value in {**self.environment, **job.env}.items()),
            *(f"--mount={_mount(path, writable)}" for path, writable in dict.fromkeys(mounts)),
        ]  # fmt: skip

    def _limits(self, image: str, limits: Limits) -> list[str]:
        """Return the options for resource limits: at most the engine's cores, as it rejects more; no swap, which would add memory."""
        options = []
        if limits.cpu:
            cores = quantity(limits.cpu, image)
            options.append(f"--cpus={min(cores, self.engine.cores) if self.engine else cores:g}")
        if limits.memory:
            size = int(quantity(limits.memory, image))
            options += [f"--memory={size}", f"--memory-swap={size}"]
        return [*options, f"--gpus={limits.gpu}"] if limits.gpu else options

    def _wait(self, process: "subprocess.Popen[bytes]", name: str, cancel: threading.Event) -> None:
        """Wait until the container has ended. On cancellation, stop it: SIGTERM, and SIGKILL after `grace` seconds."""
        while process.poll() is None:
            if not cancel.wait(0.05):
                continue
            if engine.call("stop", "-t", str(round(self.grace)), name).status:  # the engine is still creating the container
                time.sleep(0.1)
            else:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(5)
                return


@contextmanager
def _removal_guard(name: str, lock: int) -> Iterator[None]:
    """Remove the container `name` at the end of the context, even if this process is killed."""
    guard = subprocess.Popen(
        ["sh", "-c", _GUARD, name], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True, pass_fds=(lock,),
    )  # fmt: skip
    assert guard.stdin
    try:
        yield
    finally:
        guard.stdin.close()
        if guard.wait():  # no container to remove, or the guard was killed
            engine.call("rm", "--force", name)


def _exit_status(name: str, status: int) -> tuple[int, bool]:
    """Return the exit status of a container as in `Runner.run`, and whether it hit its memory limit.

    If there is no container, the status is that of the `docker` command.
    """
    response = engine.call("inspect", "--type=container", "--format={{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}", name)
    state = response.out.split()
    if state[:1] == ["exited"]:
        status = int(state[1])
    if status - 128 in {number.value for number in signal.Signals}:  # Docker reports a signal as 128 + its number
        status = 128 - status
    return status, state[2:] == ["true"]


def _mount(path: Path, writable: bool) -> str:
    """Return the value of `--mount` for a bind mount: comma-separated, with CSV quoting."""
    fields = ["type=bind", f"source={path}", f"target={path}", *([] if writable else ["readonly"])]
    return ",".join('"' + field.replace('"', '""') + '"' if set(field) & set(',"\n') else field for field in fields)
