"""Keeps the folder and the configuration of a model server in step with the registry."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from robo_poet.errors import BadInput
from robo_poet.registry.reader import RegistryReader
from robo_poet.registry.versions.version import Version
from serving.model_sync import config_file
from serving.model_sync.copies import Copies
from serving.model_sync.plan import STABLE, Config, Loaded, idle, next_config, removable
from serving.model_sync.server_status import ServerStatus

SILENT_SECONDS = 60.0  # without an answer of the model server until this is reported; a start takes 5 to 16 s

log = logging.getLogger("serving.model_sync")


@dataclass(frozen=True)
class Look:
    """The result of one look.

    Attributes:
        ready: the champion is verified and in the configuration.
        troubles: one line for each problem.
        versions: number of versions in the configuration.
        loaded: number of versions that the model server has loaded; None if it does not answer.
    """

    ready: bool
    troubles: tuple[str, ...] = ()
    versions: int = 0
    loaded: int | None = None


class ModelSync:
    """The folder of a model server: the champion, the canary, and the former champion while it keeps users after a promotion.

    All state is in the folder, in the registry and in the model server. A process that is killed at any moment is replaced by the next one.

    Args:
        registry: the versions of the model. The model server knows the model by the same name.
        folder: folder for `models.config`, and for the versions in a folder with the model's name. Only one process may use it.
        server: the model server that reads the folder; None if there is none yet.
        xla: use the warm-up requests of the XLA signatures; only for a server that enables them.
        grace: seconds from the last new request for a version to its unloading: the longest request, and the delay of the gateways.
        clock: returns monotonic time in seconds.
    """

    def __init__(
        self, registry: RegistryReader, folder: Path, server: ServerStatus | None = None, *, xla: bool = True, grace: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._registry, self._server, self._grace, self._clock = registry, server, grace, clock
        self._base = folder / registry.model
        self._copies = Copies(self._base, xla=xla)
        self._idle_since: dict[int, float] = {}
        self._answered = clock()

    def clean(self) -> None:
        """Remove what killed processes left: unfinished copies and files."""
        self._copies.clean()
        for path in self._base.parent.glob(f".{config_file.NAME}.*"):
            path.unlink(missing_ok=True)

    def lay_out(self) -> Path:
        """Prepare the folder for a model server that is not running yet. Return the path of `models.config`.

        It has no labels: TensorFlow Serving refuses to start with a label, because nothing is loaded then. `look` adds them.

        Raises:
            BadInput: there is no champion, or its files differ from the registered ones.
            OSError: the folder cannot be written, for example because the disk is full.
        """
        wanted, _ = self._wanted(strict=True)
        self._write(Config(frozenset(wanted.values())))
        return self._base.parent / config_file.NAME

    def look(self) -> Look:
        """Compare registry, folder and model server once, and make the next step.

        Raises:
            BadInput: the registry cannot be read, or has no champion. Nothing was changed.
            OSError: the folder cannot be written.
        """
        wanted, troubles = self._wanted()
        current = config_file.read(self._base)
        copies = self._copies.numbers()
        unneeded = (current.versions | copies) - frozenset(wanted.values())
        loaded = self._server.ask(stable=bool(unneeded)) if self._server else None
        if loaded is not None:
            self._note_idle(idle(wanted, loaded, current))
            troubles += self._failed(wanted, loaded)
        elif self._server and self._clock() - self._answered > SILENT_SECONDS:
            troubles.append("the model server does not answer; no label moves, and nothing is unloaded")
        after = next_config(wanted, loaded, current, self._drained())
        self._write(after)
        for number in sorted(removable(wanted, loaded, after, copies)):
            self._copies.remove(number)
            log.info("version %d was removed from the folder", number)
        loaded_versions = None if loaded is None else sum(map(loaded.available, loaded.states))
        return Look(STABLE in wanted, tuple(troubles), len(after.versions), loaded_versions)

    def _wanted(self, *, strict: bool = False) -> tuple[dict[str, int], list[str]]:
        """Verify and copy the versions of the registry. Return the good ones by label, and a line for each of the others.

        Args:
            strict: raise the error of the champion.
        """
        champion, state = self._registry.released(), self._registry.state()
        labelled = [(STABLE, "champion", champion)]
        former = state.watch.former if state.watch else None
        for label, words, number in (("canary", "canary", state.canary), ("former", "former champion", former)):
            if number is not None and number != champion.number:
                labelled.append((label, words, self._registry.version(number)))  # an error here concerns the registry, not the version
        wanted: dict[str, int] = {}
        troubles: list[str] = []
        for label, words, version in labelled:
            try:
                self._add(version)
                wanted[label] = version.number
            except (BadInput, OSError) as error:  # a faulty version must not block the others
                if strict and label == STABLE:
                    raise
                kept = ", and the loaded versions stay in service" if label == STABLE else ""
                troubles.append(f"the {words} is left out{kept}: {error}")
        return wanted, troubles

    def _add(self, version: Version) -> None:
        if self._copies.add(version):
            log.info("version %d was verified and copied to the folder", version.number)

    def _failed(self, wanted: dict[str, int], loaded: Loaded) -> list[str]:
        return [
            f"version {number} cannot be loaded by the model server: {' '.join(loaded.errors[number].split())[:300]}"
            for number in sorted(set(wanted.values()) & loaded.errors.keys())
            if not loaded.available(number)
        ]

    def _note_idle(self, numbers: frozenset[int]) -> None:
        now = self._answered = self._clock()
        self._idle_since = {number: self._idle_since.get(number, now) for number in numbers}

    def _drained(self) -> frozenset[int]:
        now = self._clock()
        return frozenset(number for number, since in self._idle_since.items() if now - since >= self._grace)

    def _write(self, config: Config) -> None:
        if config_file.write(self._base, config):
            versions = ", ".join(map(str, sorted(config.versions)))
            labels = ", ".join(f"{label} → {number}" for label, number in sorted(config.labels.items()))
            log.info("%s: versions %s; labels %s", config_file.NAME, versions, labels or "none yet")


def lay_out(registry: RegistryReader, folder: Path, *, xla: bool = True) -> Path:
    """Prepare a folder for a model server that is not running yet; see `ModelSync.lay_out`."""
    return ModelSync(registry, folder, xla=xla).lay_out()
