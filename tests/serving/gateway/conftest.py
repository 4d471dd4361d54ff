"""Fixtures: gateways in front of a real model server with the toy model, and in front of a stand-in that tests control."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from robo_poet.model.tokenizer import Tokenizer
from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from serving.model_sync.sync import lay_out
from tests.serving.gateway.running import Gateway, running
from tests.serving.gateway.stand_in_model_server import StandInModelServer, stand_in
from tests.serving.model_server.conftest import Server

# Settings that avoid work which most tests do not need.
QUIET: dict[str, Any] = {
    "port": 0,
    "signature": "generate",
    "look_seconds": 0.1,
    "request_log": {"enabled": False},
    "access": {"look_seconds": 0.05},
    "content_filter": {"words_added": ["zounds"]},
}


@pytest.fixture(scope="session")
def make_registry(toy_training: Path, toy_tokenizer: Path) -> Any:
    """Return a function that creates a registry. Version 1 is champion, further versions are candidates."""

    def make(root: Path, versions: int = 1, model: str = "shakespeare") -> Registry:
        registry = Registry(root, model)
        for number in range(versions):
            registry.register(
                {"model": toy_training / "model", "tokenizer": toy_tokenizer}, metrics={"perplexity": 40.0 + number}, lineage={}, decision={},
                stage="candidate", who="ada", why="a toy",
            )  # fmt: skip
        registry.promote(1, who="ada", why="the first")
        return registry

    return make


@pytest.fixture(scope="session")
def registry(make_registry: Any, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    registry: Registry = make_registry(tmp_path_factory.mktemp("registered") / "registry")
    return registry


@pytest.fixture(scope="session")
def model_server(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded model server as a process, without XLA."""
    folder = tmp_path_factory.mktemp("model_server")
    server = Server(folder, f"--model_config_file={lay_out(registry, folder / 'models', xla=False)}")
    yield server
    server.end()


@pytest.fixture(scope="session")
def live(registry: Registry, model_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway before it."""
    settings = {**QUIET, "model_server": model_server.http, "registry": str(registry.root), "folder": str(tmp_path_factory.mktemp("live"))}
    with running(ServeSettings(**settings)) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def words(toy_tokenizer: Path) -> Tokenizer:
    return Tokenizer.load(toy_tokenizer)


@pytest.fixture(scope="session")
def stand_in_of_session(words: Tokenizer) -> Iterator[StandInModelServer]:
    with stand_in(words) as server:
        yield server


@pytest.fixture
def server(stand_in_of_session: StandInModelServer) -> StandInModelServer:
    """The stand-in model server, reset to its defaults."""
    stand_in_of_session.reset()
    return stand_in_of_session


@pytest.fixture(scope="session")
def staged_of_session(
    registry: Registry, stand_in_of_session: StandInModelServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    settings = {
        **QUIET,
        "model_server": stand_in_of_session.address,
        "registry": str(registry.root),
        "folder": str(tmp_path_factory.mktemp("staged")),
    }
    with running(ServeSettings(**settings, deadline_seconds=1.5, body_seconds=1)) as gateway:
        yield gateway


@pytest.fixture
def staged(server: StandInModelServer, staged_of_session: Gateway) -> Gateway:
    """A gateway before it."""
    return staged_of_session
