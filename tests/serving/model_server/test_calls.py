"""One call, with versions and servables that only do what the call needs of them."""

import asyncio
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Gauge

from serving.model_server.batching import Batcher, Batching
from serving.model_server.calls import predict
from serving.model_server.errors import CallError, Code, Unloaded
from serving.model_server.versions import ChosenVersion


class Counted:
    def __init__(self) -> None:
        self.calls: list[tuple[str, int, str]] = []
        self.in_progress = Gauge("in_progress", "Calls without an answer.", registry=CollectorRegistry())

    def record_call(self, model: str, version: int, code: str, seconds: float) -> None:
        self.calls.append((model, version, code))


def servable(run: Any) -> Any:
    batcher = Batcher(run, Batching(num_batch_threads=1), (1,))
    return SimpleNamespace(spec=lambda name: {}, batcher=lambda name: batcher)


def call(chosen: list[Any], number: int | None = None, seconds: float = 20) -> tuple[Any, list[tuple[str, int, str]]]:
    """The answer or the error, and what was counted; each choice takes the next of `chosen`."""
    order = iter(enumerate(chosen, 1))
    versions, counted = SimpleNamespace(choose=lambda *_: ChosenVersion(*next(order))), Counted()
    try:
        given = {"x": np.zeros((1, 1))}
        found: Any = asyncio.run(predict(versions, counted, "m", number, None, "", lambda specs: given, seconds))  # type: ignore[arg-type]
    except CallError as error:
        found = error
    return found, counted.calls


def test_another_version_is_chosen_after_an_unload_unless_one_was_named() -> None:
    gone = servable(lambda inputs: dict(inputs))
    gone.batcher("").close()
    found, counted = call([gone, servable(lambda inputs: dict(inputs))])
    assert found[0] == 2 and counted == [("m", 2, "OK")]
    found, counted = call([gone, gone], number=1)
    assert isinstance(found, Unloaded) and found.code is Code.UNAVAILABLE and counted == [("m", 1, "UNAVAILABLE")]


def test_an_internal_fault_is_counted_and_not_described(capsys: pytest.CaptureFixture[str]) -> None:
    def run(inputs: Any) -> Any:
        raise MemoryError("at address 42")

    found, counted = call([servable(run)])
    assert found.code is Code.INTERNAL and "42" not in found.message and counted == [("m", 1, "INTERNAL")]
    assert "MemoryError: at address 42" in capsys.readouterr().err


def test_a_passed_deadline_is_counted() -> None:
    found, counted = call([servable(lambda inputs: dict(inputs))], seconds=0)
    assert found.code is Code.DEADLINE_EXCEEDED and counted == [("m", 1, "DEADLINE_EXCEEDED")]
