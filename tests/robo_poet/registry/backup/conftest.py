import base64
import os
from pathlib import Path

import pytest

from robo_poet.features.prompt_snapshot import PromptSnapshot, count_passages, write_snapshot
from robo_poet.registry.backup.secret import Secret, read_secret
from robo_poet.registry.registry import Registry
from tests.robo_poet.registry.released import released


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "backup.key"
    path.write_text(base64.b64encode(os.urandom(32)).decode() + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def secret(key_file: Path) -> Secret:
    return read_secret(key_file)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A model with a champion, a canary that was judged twice, a purged version, a version of several chunks, and a snapshot of prompts, and
    a second model.
    """
    registry = released(tmp_path, 3, canary=True)
    registry.judge_again(2, {"gates": []}, {}, verdict="accepted", who="ada", why="other gates")
    registry.reject(3, who="ada", why="slow")
    registry.purge(3, who="ada", why="disk")
    weights = tmp_path / "large"
    weights.mkdir()
    (weights / ("a" * 120)).write_bytes(os.urandom(200_000))
    (weights / "empty").write_bytes(b"")
    registry.register({"large": weights}, metrics={}, lineage={}, decision={}, stage="candidate", who="ada", why="large")
    odes = Registry(registry.root, "odes")
    odes.register({"large": weights}, metrics={}, lineage={}, decision={}, stage="rejected", who="ada", why="odes")
    prompts = PromptSnapshot("poems", "2026-03-01", "2026-03-02", 6, {}, count_passages([("the night", None)] * 9))
    write_snapshot(registry.root, prompts).chmod(0o444)  # as a restored file
    return registry
