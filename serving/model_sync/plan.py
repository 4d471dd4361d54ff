"""The next configuration of a model server: load first, move labels, unload last. Pure.

TensorFlow Serving applies the versions of a configuration before its labels, and refuses all labels of it if one points to a version that
is not AVAILABLE. It unloads a version that is no longer configured as soon as another one is loaded, also if a label still points to it.
So a promotion takes three configurations: both versions; both versions with the labels moved; the new version alone.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

STABLE = "stable"  # label of the champion
AVAILABLE, END = "AVAILABLE", "END"  # states of a version, with TensorFlow Serving's names


@dataclass(frozen=True)
class Config:
    """The configuration of one model.

    Attributes:
        versions: versions to load.
        labels: label → version.
    """

    versions: frozenset[int] = frozenset()
    labels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """What the model server reports.

    Attributes:
        states: version → its state; a version that the server does not know is missing.
        errors: version → why it could not be loaded.
        stable: the version that the label `stable` selects; None if there is no such label, or the server was not asked.
    """

    states: Mapping[int, str]
    errors: Mapping[int, str] = field(default_factory=dict)
    stable: int | None = None

    def available(self, number: int | None) -> bool:
        """Return True if the server can answer requests with this version."""
        return number is not None and self.states.get(number) == AVAILABLE


def next_config(wanted: Mapping[str, int], loaded: Loaded | None, current: Config, drained: Set[int] = frozenset()) -> Config:
    """Return the configuration to write now. It is `current` if nothing is to be changed.

    - Every wanted version is configured.
    - A label points to its wanted version if that is AVAILABLE. Until then `stable` stays on its version, and other labels do not exist:
      a label `canary` on a rejected version would serve users with it.
    - A version that is no longer wanted stays until the champion is AVAILABLE, `stable` selects it on the server, and the version is
      drained.

    Args:
        wanted: label → version of the registry, whose files are in the folder. Without `stable`, nothing is unloaded.
        loaded: None if the server does not answer; then versions are added, and nothing else changes.
        drained: versions for which the time of the longest request has passed since `idle` named them.
    """
    numbers = frozenset(wanted.values())
    if loaded is None:
        return Config(current.versions | numbers, current.labels)
    labels = {label: number for label, number in wanted.items() if loaded.available(number)}
    before = current.labels.get(STABLE)
    if STABLE not in labels and before is not None and loaded.available(before):
        labels = {STABLE: before, **labels}
    unneeded = drained if _settled(wanted, loaded) else frozenset[int]()
    return Config(numbers | frozenset(labels.values()) | (current.versions - unneeded), labels)


def idle(wanted: Mapping[str, int], loaded: Loaded, current: Config) -> frozenset[int]:
    """Return the configured versions that get no new requests. Requests that began earlier may still run on them."""
    if not _settled(wanted, loaded):
        return frozenset()
    return current.versions - frozenset(wanted.values()) - frozenset(current.labels.values())


def removable(wanted: Mapping[str, int], loaded: Loaded | None, current: Config, copies: Set[int]) -> frozenset[int]:
    """Return the versions whose files can be removed: not wanted, not configured, and unloaded as the server reports.

    Args:
        loaded: what the server reported after `current` was written; None if it does not answer, which removes nothing.
        copies: versions whose files are in the folder.
    """
    if loaded is None or not _settled(wanted, loaded):
        return frozenset()
    unneeded = copies - current.versions - frozenset(wanted.values())
    return frozenset(number for number in unneeded if loaded.states.get(number, END) == END)


def _settled(wanted: Mapping[str, int], loaded: Loaded) -> bool:
    """Return True if the champion is AVAILABLE and has the label `stable`."""
    champion = wanted.get(STABLE)
    return loaded.available(champion) and loaded.stable == champion
