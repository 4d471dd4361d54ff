"""Tests of the prompt's likelihood for the request log (MON-3)."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from robo_poet.model.completion import MAX_LENGTH
from robo_poet.model.tokenizer import START, Tokenizer
from robo_poet.request_log.record import Request, Score
from serving.gateway.backend.model_client import ModelClient, VersionGone
from serving.gateway.backend.prompt_score import PromptScore
from serving.gateway.backend.versions import ServedVersions
from serving.refusal import Refused


class FakeClient:
    """A model client that returns `outputs`, or raises them if they are an exception. Its event loop runs in a thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.outputs: Mapping[str, Any] | Exception | None = None
        self.padding = 0
        self.calls: list[tuple[int, str, np.ndarray]] = []

    async def predict(self, version: int, signature: str, inputs: Mapping[str, np.ndarray], until: float, request_id: str) -> Any:
        self.calls.append((version, signature, inputs["tokens"]))
        if isinstance(self.outputs, Exception):
            raise self.outputs
        return {"log_prob": [[-0.5] * (inputs["tokens"].shape[1] - 1) + [0.0] * self.padding]} if self.outputs is None else self.outputs


@pytest.fixture
def client() -> Iterator[FakeClient]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield FakeClient(loop)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def prompt_score(client: FakeClient, words: Tokenizer, observed: list[Any]) -> PromptScore:
    """Return the function under test. Only version 3 is served."""
    served = SimpleNamespace(number=3, tokenizer=words)
    versions = SimpleNamespace(find=lambda number: served if number == 3 else None)
    return PromptScore(cast(ModelClient, client), cast(ServedVersions, versions), lambda *values: observed.append(values))


def record(prompt: str = "the rose sleeps", version: int = 3) -> Request:
    return Request("c", "r", 0.0, "user", "poems", version, "digest", "canary", prompt, [])


def test_the_score_is_the_cross_entropy_of_the_prompt(client: FakeClient, words: Tokenizer) -> None:
    observed, count = list[Any](), len(words.encode("the rose sleeps"))
    assert prompt_score(client, words, observed)(record()) == Score(count / 2, count)
    assert observed == [(3, "canary", count / 2, count)]
    [(version, signature, tokens)] = client.calls
    assert (version, signature, tokens.tolist()) == (3, "score", [[START, *words.encode("the rose sleeps")]])


def test_a_longer_prompt_in_the_same_batch_changes_no_score(client: FakeClient, words: Tokenizer) -> None:
    """The model server pads the answer to the longest row of the batch."""
    alone = prompt_score(client, words, [])(record())
    client.padding = 30
    assert prompt_score(client, words, [])(record()) == alone


def test_a_long_prompt_is_cut_at_the_context_length(client: FakeClient, words: Tokenizer) -> None:
    prompt_score(client, words, [])(record("the rose sleeps " * 300))
    assert client.calls[0][2].shape == (1, MAX_LENGTH)


def test_a_version_that_is_not_served_has_no_score(client: FakeClient, words: Tokenizer) -> None:
    assert prompt_score(client, words, [])(record(version=2)) is None
    assert client.calls == []


@pytest.mark.parametrize(
    "outputs",
    [
        VersionGone(3),
        Refused(503, "overloaded", "busy"),
        {},
        {"log_prob": []},
        {"log_prob": [["x"] * 99]},
        {"log_prob": [None]},
        {"log_prob": [[-1.0]]},
    ],
    ids=str,
)
def test_a_failed_call_has_no_score(client: FakeClient, words: Tokenizer, outputs: Any) -> None:
    observed: list[Any] = []
    client.outputs = outputs
    assert prompt_score(client, words, observed)(record()) is None
    assert observed == []
