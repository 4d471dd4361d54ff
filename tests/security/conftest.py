"""Fixtures: a gateway with a model server that tests control, and a gateway as a process in front of a real model server."""

from tests.serving.gateway.conftest import (  # noqa: F401
    make_registry,
    model_server,
    registry,
    server,
    staged,
    staged_of_session,
    stand_in_of_session,
    words,
)
