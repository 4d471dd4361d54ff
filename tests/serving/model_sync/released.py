"""Small versions for tests of the folder: they have the files of a SavedModel, but no model server can load them."""

from pathlib import Path

from robo_poet.digest import digest_file
from robo_poet.registry.registry import Registry
from robo_poet.registry.state.state import Stage

SAID = {"who": "ada", "why": "test"}
FILES = ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001")
WARM_UP = "assets.extra/tf_serving_warmup_requests"


def small_registry(folder: Path, versions: int, size: int = 100) -> Registry:
    """Return a registry `poems` whose version 1 is champion; the others are candidates. Each file of a version has `size` bytes."""
    registry = Registry(folder / "registry", "poems")
    for number in range(1, versions + 1):
        source = folder / f"source{number}" / "saved_model"
        for name in (*FILES, WARM_UP, f"{WARM_UP}_xla"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(f"{number} {name} ".encode().ljust(size, b"."))
        registry.register({"model": source.parent}, metrics={}, lineage={"seed": number}, decision={}, stage=Stage.CANDIDATE, **SAID)
    registry.promote(1, **SAID)
    return registry


def release(registry: Registry, number: int, *, watch_share: float = 0.0) -> None:
    """Make a version the champion, as a canary before if it is a candidate."""
    if registry.version(number).stage is Stage.CANDIDATE:
        registry.start_canary(number, **SAID)
    registry.promote(number, watch_share=watch_share, **SAID)


def is_whole(registry: Registry, copy: Path) -> bool:
    """Return True if the folder of a copy has exactly the registered files of its version, with the warm-up requests for XLA."""
    registered = registry.version(int(copy.name)).manifest().files
    expected = {name: registered[f"model/saved_model/{name}"] for name in FILES}
    expected[WARM_UP] = registered[f"model/saved_model/{WARM_UP}_xla"]
    return {path.relative_to(copy).as_posix(): digest_file(path) for path in copy.rglob("*") if path.is_file()} == expected


def tamper(registry: Registry, number: int, name: str = "saved_model.pb") -> None:
    """Overwrite a registered file."""
    [path] = registry.version(number).folder.rglob(name)
    path.chmod(0o644)
    path.write_bytes(bytes(path.stat().st_size))
