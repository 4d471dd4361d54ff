"""The versions that are loaded, and how one set of them becomes another without a moment in which nothing serves (contract 10)."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from serving.model_server.config import ModelConfig
from serving.model_server.errors import CallError, Code

RETRY_SECONDS = 30.0  # after which a version that could not be loaded is tried again: it may have been for want of memory or of files


class State(StrEnum):
    """TensorFlow Serving's words."""

    LOADING = "LOADING"
    AVAILABLE = "AVAILABLE"
    UNLOADING = "UNLOADING"
    END = "END"


class Loaded(Protocol):
    """What a version has to be able to do here."""

    def warm_first(self) -> None:
        """Before anybody is answered."""

    def warm_rest(self) -> None:
        """While others are answered."""

    def close(self) -> None:
        """Finish what is queued."""


@dataclass
class Status:
    """Of one version: its state; why it failed, if it did, and when."""

    state: State
    error: str = ""
    failed: float = 0.0


@dataclass(frozen=True)
class Chosen:
    """What a call goes to."""

    number: int
    servable: Loaded


class Versions:
    """Versions by model and number.

    Args:
        load: makes a servable of a version's folder; whatever it raises is that version's fault alone.
        say: takes a line for the log.
    """

    def __init__(self, load: Callable[[Path], Loaded], say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._load, self._say, self._clock = load, say, clock
        self._lock = threading.RLock()
        self._changing = threading.Lock()  # one set becomes another at a time
        self._servables: dict[str, dict[int, Loaded]] = {}
        self._statuses: dict[str, dict[int, Status]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._models: dict[tuple[str, int], Path] = {}

    def apply(self, models: Mapping[str, ModelConfig]) -> None:
        """Load what is wanted and missing, move the labels, then unload what is no longer wanted.

        A version stays while no other of its model is available, wanted or not. A version that failed is tried again in a while, or when
        its model is another one; one that is loaded is loaded anew when its model is another one, as it is after a change of registry.
        """
        with self._changing:
            wanted = {name: config.wanted() for name, config in models.items()}
            for name, numbers in wanted.items():
                for number, folder in sorted(numbers.items()):
                    self._bring(name, number, folder)
            for name, config in models.items():
                self._label(name, config.labels)
            for name in list(self._servables):
                self._retire(name, set(wanted.get(name, {})), gone=name not in models)

    def choose(self, model: str, number: int | None = None, label: str | None = None) -> Chosen:
        """The version of a number or a label, or the newest.

        Raises:
            CallError: NOT_FOUND.
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
            return Chosen(number, servables[number])

    def statuses(self, model: str, number: int | None = None, label: str | None = None) -> dict[int, Status]:
        """State of each version of a model, newest first, or of one.

        Raises:
            CallError: NOT_FOUND.
        """
        with self._lock:
            if label is not None:
                number = self.choose(model, label=label).number
            found = {n: s for n, s in sorted(self._statuses.get(model, {}).items(), reverse=True) if number in (None, n)}
        if not found:
            which = "any versions of" if number is None else f"version {number} of"
            raise CallError(Code.NOT_FOUND, f"Could not find {which} model {model}")
        return found

    def loaded(self) -> list[tuple[str, int, Loaded]]:
        """All that can be called."""
        with self._lock:
            return [(name, number, one) for name, numbers in self._servables.items() for number, one in numbers.items()]

    def labels(self, model: str) -> dict[str, int]:
        """Labels that are attached."""
        with self._lock:
            return dict(self._labels.get(model, {}))

    def close(self) -> None:
        """Finish what is queued, everywhere."""
        for _, _, servable in self.loaded():
            servable.close()

    def _bring(self, name: str, number: int, folder: Path) -> None:
        with self._lock:
            status, former = self._statuses.setdefault(name, {}).get(number), self._servables.get(name, {}).get(number)
            model = (folder / "saved_model.pb").resolve()  # of a registry's version: the file itself, whose folder is named by its digest
            failed = status is not None and status.error and self._clock() - status.failed < RETRY_SECONDS
            if self._models.get((name, number)) == model and (former is not None or failed):
                return
            self._models[name, number] = model
            if former is None:
                self._statuses[name][number] = Status(State.LOADING)
        begun = time.monotonic()
        try:
            servable = self._load(folder)
            servable.warm_first()
        except Exception as error:
            told = " ".join(str(error).split())[:300] or type(error).__name__
            if former is None:
                with self._lock:
                    self._statuses[name][number] = Status(State.END, told, self._clock())
            self._say(f"version {number} of {name} cannot be loaded: {told}")
            return
        with self._lock:
            self._servables.setdefault(name, {})[number] = servable
            self._statuses[name][number] = Status(State.AVAILABLE)
        self._say(f"version {number} of {name} is available after {time.monotonic() - begun:.1f} s")
        threading.Thread(target=self._warm, args=(name, number, servable), daemon=True).start()
        if former is not None:
            former.close()

    def _warm(self, name: str, number: int, servable: Loaded) -> None:
        try:
            servable.warm_rest()
        except Exception as error:  # it serves all the same, and whoever sends such a request is told the same
            self._say(f"version {number} of {name}: warm-up failed: {' '.join(str(error).split())[:300]}")

    def _label(self, name: str, labels: Mapping[str, int]) -> None:
        """A label moves only onto a version that is loaded, and stays where it is until then."""
        with self._lock:
            now = self._labels.setdefault(name, {})
            available = self._servables.get(name, {})
            for label in [label for label in now if label not in labels]:
                del now[label]
            for label, number in labels.items():
                if number in available:
                    now[label] = number
                elif now.get(label) not in available:
                    now.pop(label, None)

    def _retire(self, name: str, wanted: set[int], *, gone: bool) -> None:
        with self._lock:
            servables = self._servables[name]
            leaving = [number for number in servables if number not in wanted]
            held = set(self._labels.get(name, {}).values())
            if not gone and not wanted & servables.keys():
                return  # never the only one
            taken = {number: servables.pop(number) for number in leaving if gone or number not in held}
            for number in taken:
                self._statuses[name][number] = Status(State.UNLOADING)
        for number, servable in taken.items():
            servable.close()
            with self._lock:
                self._statuses[name][number] = Status(State.END)
            self._say(f"version {number} of {name} is unloaded")
