"""A small registry for tests that release a version."""

from pathlib import Path

from robo_poet.registry.registry import Registry

SAID = {"who": "ada", "why": "test"}


def released(folder: Path, versions: int = 2, *, canary: bool = False) -> Registry:
    """Return a registry `poems` whose version 1 is champion; the others are candidates, or version 2 is canary."""
    registry = Registry(folder / "registry", "poems")
    for number in range(1, versions + 1):
        weights = folder / f"weights{number}"
        weights.write_text(str(number))
        registry.register({"weights": weights}, metrics={}, lineage={"seed": number}, decision={}, stage="candidate", **SAID)
    registry.promote(1, **SAID)
    if canary:
        registry.start_canary(2, **SAID)
    return registry
