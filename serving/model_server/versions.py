"""The loaded versions. They are replaced without downtime: the new versions load before the old ones are unloaded (contract 10)."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from serving.model_server.config import ModelConfig
from serving.model_server.errors import CallError, Code

RETRY_SECONDS = 30.0  # until a failed load is tried again: memory or files may have been missing


class VersionState(StrEnum):
    """The states of a version, with TensorFlow Serving's names."""

    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


class LoadedModel(Protocol):
    """The interface of a loaded version. `Servable` implements it; tests use a model without TensorFlow."""

    def warm_first(self) -> None:
        """Warm up before the version is available."""

    def warm_rest(self) -> None:
        """Continue the warm-up while the version serves."""

    def close(self) -> None:
        """Finish all queued requests."""


@dataclass
class VersionStatus:
    """The status of one version.

    Attributes:
        state: current state.
        error: why the load failed; empty if it did not.
        failed: clock time of the failure in seconds.
    """

    state: VersionState
    error: str = ""
    failed: float = 0.0


@dataclass(frozen=True)
class ChosenVersion:
    """The version that a call runs on."""

    number: int
    servable: LoadedModel


class LoadedVersions:
    """The loaded versions by model and number, with their statuses and labels. Thread-safe.

    Args:
        load: loads a version from its folder. An exception marks only this version as failed.
        say: called with each log line.
        clock: returns monotonic time in seconds.
    """

    def __init__(
        self, load: Callable[[Path], LoadedModel], say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._load, self._say, self._clock = load, say, clock
        self._lock = threading.RLock()
        self._changing = threading.Lock()  # only one `apply` at a time
        self._servables: dict[str, dict[int, LoadedModel]] = {}
        self._statuses: dict[str, dict[int, VersionStatus]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._models: dict[tuple[str, int], Path] = {}

    def apply(self, models: Mapping[str, ModelConfig]) -> None:
        """Load the missing versions, move the labels, then unload the versions that are no longer configured.

        - The last available version of a configured model stays, even if it is no longer configured.
        - A version that a label points to stays.
        - A failed version is tried again after `RETRY_SECONDS`, or when its folder contains another model.
        - A loaded version is reloaded when its folder contains another model, for example after a change to another registry.
        """
        with self._changing:
            folders_by_model = {name: config.version_folders() for name, config in models.items()}
            for name, numbers in folders_by_model.items():
                for number, folder in sorted(numbers.items()):
                    self._load_version(name, number, folder)
            for name, config in models.items():
                self._move_labels(name, config.labels)
            for name in list(self._servables):
                self._unload_unwanted(name, set(folders_by_model.get(name, {})), gone=name not in models)

    def choose(self, model: str, number: int | None = None, label: str | None = None) -> ChosenVersion:
        """Return the version with this number or label, or the newest one.

        Raises:
            CallError: NOT_FOUND, the model or version is not loaded. INVALID_ARGUMENT, the label is unknown.
        """
        with self._lock:
            servables = self._servables.get(model)
            if not servables:
                raise CallError(Code.NOT_FOUND, f"Servable not found for request: Latest({model})")
            if label is not None:
                if label not in self._labels.get(model, {}):
                    raise CallError(Code.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}")
                number = self._labels[model][label]
            if number is None:
                number = max(servables)
            if number not in servables:
                raise CallError(Code.NOT_FOUND, f"Servable not found for request: Specific({model}, {number})")
            return ChosenVersion(number, servables[number])

    def statuses(self, model: str, number: int | None = None, label: str | None = None) -> dict[int, VersionStatus]:
        """Return the status of each version of a model, newest first, or of one version.

        Raises:
            CallError: NOT_FOUND, no such version is known. INVALID_ARGUMENT, the label is unknown.
        """
        with self._lock:
            if label is not None:
                number = self.choose(model, label=label).number
            statuses = {n: s for n, s in sorted(self._statuses.get(model, {}).items(), reverse=True) if number in (None, n)}
        if not statuses:
            which = "any versions of" if number is None else f"version {number} of"
            raise CallError(Code.NOT_FOUND, f"Could not find {which} model {model}")
        return statuses

    def loaded(self) -> list[tuple[str, int, LoadedModel]]:
        """Return all loaded versions as (model, number, servable)."""
        with self._lock:
            return [(name, number, servable) for name, numbers in self._servables.items() for number, servable in numbers.items()]

    def labels(self, model: str) -> dict[str, int]:
        """Return the labels of a model that point to a loaded version."""
        with self._lock:
            return dict(self._labels.get(model, {}))

    def close(self) -> None:
        """Finish all queued requests of all versions."""
        for _, _, servable in self.loaded():
            servable.close()

    def _load_version(self, name: str, number: int, folder: Path) -> None:
        with self._lock:
            status, former = self._statuses.setdefault(name, {}).get(number), self._servables.get(name, {}).get(number)
            model = (folder / "saved_model.pb").resolve()  # in a registry this resolves to a path with the digest
            recently_failed = status is not None and status.error and self._clock() - status.failed < RETRY_SECONDS
            if self._models.get((name, number)) == model and (former is not None or recently_failed):
                return
            self._models[name, number] = model
            if former is None:
                self._statuses[name][number] = VersionStatus(VersionState.LOADING)
        started = time.monotonic()
        try:
            servable = self._load(folder)
            servable.warm_first()
        except Exception as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            if former is None:
                with self._lock:
                    self._statuses[name][number] = VersionStatus(VersionState.END, reason, self._clock())
            self._say(f"version {number} of {name} cannot be loaded: {reason}")
            return
        with self._lock:
            self._servables.setdefault(name, {})[number] = servable
            self._statuses[name][number] = VersionStatus(VersionState.AVAILABLE)
        self._say(f"version {number} of {name} is available after {time.monotonic() - started:.1f} s")
        threading.Thread(target=self._finish_warm_up, args=(name, number, servable), daemon=True).start()
        if former is not None:
            former.close()

    def _finish_warm_up(self, name: str, number: int, servable: LoadedModel) -> None:
        try:
            servable.warm_rest()
        except Exception as error:  # the version still serves; a client that sends such a request gets the same error
            self._say(f"version {number} of {name}: warm-up failed: {' '.join(str(error).split())[:300]}")

    def _move_labels(self, name: str, labels: Mapping[str, int]) -> None:
        """Move each label to its configured version once that version is loaded. Until then the label stays on its current version."""
        with self._lock:
            current = self._labels.setdefault(name, {})
            available = self._servables.get(name, {})
            for label in [label for label in current if label not in labels]:
                del current[label]
            for label, number in labels.items():
                if number in available:
                    current[label] = number
                elif current.get(label) not in available:
                    current.pop(label, None)

    def _unload_unwanted(self, name: str, wanted: set[int], *, gone: bool) -> None:
        with self._lock:
            servables = self._servables[name]
            unwanted = [number for number in servables if number not in wanted]
            labelled = set(self._labels.get(name, {}).values())
            if not gone and not wanted & servables.keys():
                return  # never unload the last available version
            unloading = {number: servables.pop(number) for number in unwanted if gone or number not in labelled}
            for number in unloading:
                self._statuses[name][number] = VersionStatus(VersionState.UNLOADING)
        for number, servable in unloading.items():
            servable.close()
            with self._lock:
                self._statuses[name][number] = VersionStatus(VersionState.END)
            self._say(f"version {number} of {name} is unloaded")
