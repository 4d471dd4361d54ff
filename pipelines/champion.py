"""Who is champion when a run is submitted: a parameter of the run, so that the same run against the same champion is cached."""

from pathlib import Path

from robo_poet.registry.registry import Registry

NONE = "none"  # what compare_champion is told where there is no champion; nothing at all makes it ask the registry


def champion(registry: Path) -> str:
    """Digest of the champion of this machine's registry, or `none`.

    Raises:
        Corrupt: the log is not what was written.
    """
    found = Registry(registry).champion()
    return found.digest if found else NONE
