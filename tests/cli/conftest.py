"""A registry whose champion is the toy model."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from robo_poet.model.saved_model import LoadedModel
from robo_poet.registry.registry import Registry


@pytest.fixture(scope="session")
def toy_registry(toy_training: Path, toy_tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 is champion, version 2 the same model rejected, version 3 damaged."""
    root = tmp_path_factory.mktemp("registered") / "registry"
    registry = Registry(root, "shakespeare")
    files = {"model": toy_training / "model", "tokenizer": toy_tokenizer}
    for number, stage in ((1, "candidate"), (2, "rejected"), (3, "candidate")):
        metrics = {"perplexity": 40.0 + number, "bits_per_byte": 2.5}
        registry.register(files, metrics=metrics, lineage={}, decision={}, stage=stage, who="ada", why="a toy")
    registry.promote(1, who="ada", why="the first")
    damaged = registry.version(3).folder / "model" / "manifest.json"
    damaged.chmod(0o644)
    damaged.write_text("{}")
    return root


@pytest.fixture(scope="session")
def _load_once() -> Callable[[Path, Path], LoadedModel]:
    from robo_poet.model.saved_model import load_model

    return cache(load_model)


@pytest.fixture
def quick_loading(_load_once: Callable[[Path, Path], LoadedModel], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each version is loaded once, whatever the number of calls: loading takes a second."""
    monkeypatch.setattr("cli.generation.loaded_version.load_model", _load_once)
