"""Environments of images: the locked packages of a dependency group, installed in layers by containers, not by a Dockerfile build."""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from pipelines.images.context import INSTALLER, layer_context, recipe_digest
from pipelines.images.programs import TAG_LENGTH, lock_file
from pipelines.run.container import engine
from pipelines.run.container.engine import LABEL, Owner, remove_leftovers
from robo_poet.atomic import write_text
from robo_poet.digest import digest_json
from robo_poet.errors import BadInput

# The groups of a family share a layer. Their locks have equal versions: all but `validate` are resolved with one set of constraints.
FAMILIES = (
    ("model-server", "train", "train-gpu", "evaluate", "evaluate-gpu", "slices"),  # TensorFlow
    ("train", "train-gpu", "evaluate", "evaluate-gpu", "slices"),  # and Arrow
    ("scrub", "scrub-beam", "measure", "gateway"),  # spaCy and its model
)
SOURCE_ONLY = ("pyfarmhash",)  # needed by TensorFlow Data Validation; all others are wheels, or Python source that needs no compiler
_BLOCK = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)


@dataclass(frozen=True)
class Layer:
    """Packages that are installed together.

    Attributes:
        name: `<first group of the family>-shared`, or the group's name for its last layer.
        lock: the hash-pinned lock of the packages.
        last: whether the layer completes the environment of a group.
    """

    name: str
    lock: str
    last: bool

    @property
    def from_source(self) -> str:
        """The lock of the packages that need a compiler; empty if there are none."""
        return _lock(frozenset(block for block in _blocks(self.lock) if block.partition("==")[0] in SOURCE_ONLY))


def layers(group: str) -> list[Layer]:
    """Return the layers of a group's environment, lowest first. A group without a family has one layer."""
    group_packages = _blocks(lock_file(group).read_text("utf-8"))
    chain, installed = [], frozenset[str]()
    for family in FAMILIES:
        if group in family:
            shared = frozenset.intersection(*(_blocks(lock_file(member).read_text("utf-8")) for member in family))
            chain.append(Layer(f"{family[0]}-shared", _lock(shared - installed), last=False))
            installed |= shared
    chain.append(Layer(group, _lock(group_packages - installed), last=True))
    return chain


def _blocks(lock: str) -> frozenset[str]:
    """Split a lock into its packages. Each is a block of lines with version and hashes."""
    return frozenset(block.rstrip() for block in _BLOCK.split(lock) if block[:1].isalnum())


def _lock(blocks: frozenset[str]) -> str:
    return "".join(f"{block}\n" for block in sorted(blocks))


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Environments:
    """The environments on one base image. Thread-safe.

    Args:
        prefix: image name before `/environment`.
        base: name of the base image.
        below: `docker image inspect` data of the base image.
        logs: folder for the output of installations, `environment-<layer>.log`.
        say: called with the name of each layer when its installation starts.
    """

    def __init__(self, prefix: str, base: str, below: Mapping[str, Any], logs: Path, say: Callable[[str], None]) -> None:
        self._prefix, self._base, self._logs, self._say = prefix, base, logs, say
        self._salt = [below["Id"], recipe_digest(INSTALLER)]
        self._env = [line.partition("=")[0] for line in below["Config"].get("Env") or ()]
        self._locks: dict[str, Lock] = {}
        self._guard = Lock()
        self._installer = ""
        self._removals = ThreadPoolExecutor(1)  # gigabytes of small files: removed in the background, only __exit__ waits

    def __enter__(self) -> "Environments":
        remove_leftovers()
        return self

    def __exit__(self, *_: object) -> None:
        if self._installer:
            self._remove(self._installer, "--volumes")
        self._removals.shutdown()

    def get(self, group: str) -> str:
        """Return the image name of a group's environment. Missing layers are installed.

        Raises:
            BadInput: a layer cannot be installed; the output is in the log.
        """
        below, locks = self._base, []
        for layer in layers(group):
            locks.append(layer.lock)
            name = f"{self._prefix}/environment:{digest_json([*self._salt, *locks, layer.last])[:TAG_LENGTH]}"
            with self._guard:
                layer_lock = self._locks.setdefault(name, Lock())
            with layer_lock:  # two groups that need the same layer install it once
                if not engine.images([name]):
                    self._make(layer, name, below)
            below = name
        return below

    def _make(self, layer: Layer, name: str, below: str) -> None:
        with self._guard:
            self._installer = self._installer or self._start_installer()
        self._say(f"{name} ({layer.name})")
        volume = f"--volumes-from={self._installer}"
        if layer.from_source:
            with self._container(self._base, "from_source.sh", Layer(f"{layer.name}-source", layer.from_source, last=False), volume):
                pass
        with self._container(below, "install.sh", layer, volume) as container:
            self._commit(container, name)

    def _start_installer(self) -> str:
        """Return a stopped container whose volume holds uv. Other containers mount the volume."""
        with self._container(self._base, "installer.sh", Layer("installer", "", last=False), "--volume=/mnt", keep=True) as container:
            return container

    @contextmanager
    def _container(self, image: str, script: str, layer: Layer, *mounts: str, keep: bool = False) -> Iterator[str]:
        """Yield a container in which `script` has finished. It uses the host's network, as a package index may listen on localhost only."""
        created = engine.call(
            "create", "--interactive", "--network=host", "--user=0:0", "--workdir=/", "--tmpfs=/tmp:exec", f"--label={LABEL}={Owner.me()}",
            *mounts, image, "sh", "-c", f"tar -x -C /tmp && exec sh /tmp/{script}",
        )  # fmt: skip
        if created.status:
            raise BadInput(f"the container cannot be created: {created.err.strip()[:300]}", where=image)
        container, finished = created.out.strip(), False
        try:
            answer = engine.call("start", "--attach", "--interactive", container, input=layer_context(layer.lock, layer.last), timeout=None)
            check(answer, f"environment {layer.name}", self._logs / f"environment-{layer.name}.log")
            finished = True
            yield container
        finally:
            if not (keep and finished):
                self._remove(container)

    def _remove(self, container: str, *options: str) -> None:
        self._removals.submit(engine.call, "rm", "--force", *options, container, timeout=None)

    def _commit(self, container: str, name: str) -> None:
        changed_paths = [line.split(" ", 1)[1] for line in engine.call("diff", container).out.splitlines()]
        if outside := [path for path in changed_paths if path != "/opt" and not f"{path}/".startswith("/opt/venv/")]:
            raise BadInput(f"the installation changed {outside[0]}, which is outside /opt/venv", where=name)
        # Docker copies the client's proxies into the container's environment. Without this, they would stay in the image.
        variables = engine.call("inspect", "--format={{range .Config.Env}}{{println .}}{{end}}", container).out.split("\n")
        added_variables = [variable for line in variables if (variable := line.partition("=")[0]) and variable not in self._env]
        changes = [f"ENV {variable}=" for variable in added_variables if variable != "PATH"] + [f"LABEL {LABEL}=", 'CMD ["python3"]']
        answer = engine.call("commit", *(f"--change={change}" for change in changes), container, name, timeout=None)
        if answer.status:
            raise BadInput(f"the layer cannot be committed: {answer.err.strip()[:300]}", where=name)


def check(answer: engine.Answer, where: str, log: Path) -> None:
    """Write the output of a build to `log`.

    Raises:
        BadInput: the build failed.
    """
    output = _COLOUR.sub("", answer.out + answer.err)
    write_text(log, output)
    if answer.status:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        message = next((line for line in lines if line.startswith(("ERROR", "E: ", "error: ", "×"))), lines[-1] if lines else "no output")
        raise BadInput(f"the build failed: {message[:300]}", where=where, remedy=f"see its output in {log}")
