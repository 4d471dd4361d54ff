"""Who is champion when a run is submitted: a parameter of the run, so that the same run against the same champion is cached."""

from pathlib import Path

from robo_poet.registry.registry import Registry

NONE, ASK = "none", ""  # what compare_champion is told: there is none; ask the registry, and say what is wrong with it


def champion(registry: Path) -> str:
    """Digest of the champion of this machine's registry; `none`; or nothing where the log may have been lost, which is not the same.

    Raises:
        Corrupt: the log is not what was written.
    """
    store = Registry(registry)
    if found := store.champion():
        return found.digest
    return ASK if store.strays() else NONE
