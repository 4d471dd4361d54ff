from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robo_poet.registry.registry import Registry
from robo_poet.registry.versions.version import Version

Register = Callable[..., Version]


@pytest.fixture(scope="session")
def add() -> Register:
    """Register a tiny model, different for each `seed`."""

    def register(registry: Registry, seed: int = 1, **changes: Any) -> Version:
        source = registry.root.parent / f"model{seed}"
        source.mkdir(parents=True, exist_ok=True)
        (source / "weights").write_text(str(seed))
        given: dict[str, Any] = {"metrics": {"perplexity": 40.0}, "lineage": {"seed": seed}, "decision": {"verdict": "accepted"}}
        said = {"stage": "candidate", "who": "ada", "why": "passed"}
        return registry.register({"model": source}, **{**given, **said, **changes})

    return register


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry", "poems")
