"""Environments of images: the locked packages of a dependency group, installed layer by layer in containers without a Dockerfile build."""

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

# Each family shares a layer. Within a family the locks agree, since all but `validate` are resolved with one set of constraints.
FAMILIES = (
    ("model-server", "train", "train-gpu", "evaluate", "evaluate-gpu", "slices"),  # TensorFlow
    ("train", "train-gpu", "evaluate", "evaluate-gpu", "slices"),  # and Arrow
    ("scrub", "measure", "gateway"),  # spaCy and its model
)
SOURCE_ONLY = ("pyfarmhash",)  # of TensorFlow Data Validation; all else comes as wheels, or as Python source that no compiler is needed for
_BLOCK = re.compile(r"^(?=[A-Za-z0-9])", re.MULTILINE)


@dataclass(frozen=True)
class Layer:
    """Packages that are installed together.

    Attributes:
        name: of the family's smallest group and `-shared`, or of the group whose last layer it is.
        lock: a hash-pinned lock of them.
        last: whether a group's environment is whole with it.
    """

    name: str
    lock: str
    last: bool

    @property
    def from_source(self) -> str:
        """The lock of those of its packages that have to be compiled; empty if there are none."""
        return _lock(frozenset(block for block in _blocks(self.lock) if block.partition("==")[0] in SOURCE_ONLY))


def layers(group: str) -> list[Layer]:
    """The layers of a group's environment, the lowest first; one layer if it is in no family."""
    own = _blocks(lock_file(group).read_text("utf-8"))
    chain, below = [], frozenset[str]()
    for family in FAMILIES:
        if group in family:
            shared = frozenset.intersection(*(_blocks(lock_file(one).read_text("utf-8")) for one in family))
            chain.append(Layer(f"{family[0]}-shared", _lock(shared - below), last=False))
            below |= shared
    chain.append(Layer(group, _lock(own - below), last=True))
    return chain


def _blocks(lock: str) -> frozenset[str]:
    """A lock's packages, each as its lines with version and hashes."""
    return frozenset(block.rstrip() for block in _BLOCK.split(lock) if block[:1].isalnum())


def _lock(blocks: frozenset[str]) -> str:
    return "".join(f"{block}\n" for block in sorted(blocks))


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Environments:
    """The environments on one base image; may be asked from several threads.

    Args:
        prefix: image name before `/environment`.
        base, below: the base image by name and what the engine knows of it.
        logs: folder for what installing says, `environment-<layer>.log`.
        say: takes the name of a layer that is being made now.
    """

    def __init__(self, prefix: str, base: str, below: Mapping[str, Any], logs: Path, say: Callable[[str], None]) -> None:
        self._prefix, self._base, self._logs, self._say = prefix, base, logs, say
        self._salt = [below["Id"], recipe_digest(INSTALLER)]
        self._env = [line.partition("=")[0] for line in below["Config"].get("Env") or ()]
        self._locks: dict[str, Lock] = {}
        self._guard = Lock()
        self._installer = ""
        self._removals = ThreadPoolExecutor(1)  # gigabytes of small files: nothing waits for that but the end

    def __enter__(self) -> "Environments":
        remove_leftovers()
        return self

    def __exit__(self, *_: object) -> None:
        if self._installer:
            self._remove(self._installer, "--volumes")
        self._removals.shutdown()

    def get(self, group: str) -> str:
        """The image of a group's environment by name; its layers are made if they are not there.

        Raises:
            BadInput: a layer cannot be installed; its output is in the log.
        """
        below, locks = self._base, []
        for layer in layers(group):
            locks.append(layer.lock)
            name = f"{self._prefix}/environment:{digest_json([*self._salt, *locks, layer.last])[:TAG_LENGTH]}"
            with self._guard:
                mine = self._locks.setdefault(name, Lock())
            with mine:  # a layer that another group waits for too is made once
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
        """A container whose volume has uv. It has ended, and is kept for its volume."""
        with self._container(self._base, "installer.sh", Layer("installer", "", last=False), "--volume=/mnt", keep=True) as container:
            return container

    @contextmanager
    def _container(self, image: str, script: str, layer: Layer, *mounts: str, keep: bool = False) -> Iterator[str]:
        """A container in which `script` has run to its end. The host's network: an index may listen on this machine alone."""
        made = engine.call(
            "create", "--interactive", "--network=host", "--user=0:0", "--workdir=/", "--tmpfs=/tmp:exec", f"--label={LABEL}={Owner.me()}",
            *mounts, image, "sh", "-c", f"tar -x -C /tmp && exec sh /tmp/{script}",
        )  # fmt: skip
        if made.status:
            raise BadInput(f"no container can be made: {made.err.strip()[:300]}", where=image)
        container, ended = made.out.strip(), False
        try:
            answer = engine.call("start", "--attach", "--interactive", container, input=layer_context(layer.lock, layer.last), timeout=None)
            check(answer, f"environment {layer.name}", self._logs / f"environment-{layer.name}.log")
            ended = True
            yield container
        finally:
            if not (keep and ended):
                self._remove(container)

    def _remove(self, container: str, *options: str) -> None:
        self._removals.submit(engine.call, "rm", "--force", *options, container, timeout=None)

    def _commit(self, container: str, name: str) -> None:
        changed = [line.split(" ", 1)[1] for line in engine.call("diff", container).out.splitlines()]
        if strange := [path for path in changed if path != "/opt" and not f"{path}/".startswith("/opt/venv/")]:
            raise BadInput(f"installing left {strange[0]} outside of /opt/venv", where=name)
        # A client's own proxies come into a container's settings, and would stay in the image.
        set_ = engine.call("inspect", "--format={{range .Config.Env}}{{println .}}{{end}}", container).out.split("\n")
        added = [one for line in set_ if (one := line.partition("=")[0]) and one not in self._env]
        changes = [f"ENV {one}=" for one in added if one != "PATH"] + [f"LABEL {LABEL}=", 'CMD ["python3"]']
        answer = engine.call("commit", *(f"--change={change}" for change in changes), container, name, timeout=None)
        if answer.status:
            raise BadInput(f"the layer cannot be stored: {answer.err.strip()[:300]}", where=name)


def check(answer: engine.Answer, where: str, log: Path) -> None:
    """Write what a build said to `log`.

    Raises:
        BadInput: it failed.
    """
    output = _COLOUR.sub("", answer.out + answer.err)
    write_text(log, output)
    if answer.status:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        said = next((line for line in lines if line.startswith(("ERROR", "E: ", "error: ", "×"))), lines[-1] if lines else "no output")
        raise BadInput(f"the build failed: {said[:300]}", where=where, remedy=f"its output is in {log}")
