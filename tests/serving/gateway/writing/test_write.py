"""Tests of the generation of a job's samples, with a fake model server and a fake content filter (SERVE-4)."""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from robo_poet.model.completion import Sampling
from robo_poet.model.tokenizer import START, Tokenizer
from robo_poet.outcomes.record import NO_STEP, AssignedArm
from serving.content_filter.decision import FilterDecision
from serving.gateway.backend.model_client import ModelClient
from serving.gateway.backend.versions import AssignedVersion, Served
from serving.gateway.writing.job import GenerationJob
from serving.gateway.writing.samples import REFUSED, Sample
from serving.gateway.writing.write import CompletionWriter, Filtering, Piece, completion_refused, prompt_refused
from serving.refusal import Refused

PROMPT = "the rose sleeps"
GOOD, BAD = " my heart burns over a bright cold star", " zounds my heart burns"


class FakeClient:
    """A model client that generates `text_of(seed)` for each row.

    Attributes:
        seeds: seeds of each call.
        changes: outputs that replace those of the fake; a value of None removes an output.
    """

    def __init__(self, words: Tokenizer, text_of: Callable[[int], str], **changes: Any) -> None:
        self.words, self.text_of, self.changes = words, text_of, changes
        self.seeds: list[list[int]] = []

    async def predict(self, version: int, signature: str, inputs: Any, until: float, request_id: str, user: str) -> dict[str, Any]:
        self.seeds.append(inputs["seed"].tolist())
        rows, reasons = [], []
        prompt_tokens = len(self.words.encode(PROMPT)) + 1
        for seed, length, max_new in zip(inputs["seed"].tolist(), inputs["prompt_length"], inputs["max_new"], strict=True):
            remaining = self.words.encode(self.text_of(seed))[length - prompt_tokens :]
            rows.append(remaining[:max_new])
            reasons.append(0 if len(remaining) > max_new else 1)
        outputs = {
            "tokens": rows, "length": [len(row) for row in rows], "log_prob": [[-0.5] * len(row) for row in rows], "stop_reason": reasons,
        }  # fmt: skip
        return {name: value for name, value in {**outputs, **self.changes}.items() if value is not None}


class FakeFiltering:
    """A content filter that refuses texts with the word `zounds`."""

    attempts = 3

    async def decide(self, text: str, side: str, before: str = "", attempt: int = 1) -> FilterDecision:
        return FilterDecision("zounds" not in text, "words.severe" if "zounds" in text else "")


def writer(client: FakeClient) -> CompletionWriter:
    return CompletionWriter(cast(ModelClient, client), cast(Filtering, FakeFiltering()), "generate")


def job(words: Tokenizer, samples: int = 1) -> GenerationJob:
    served = Served("poems", 1, "digest", words, {"max_length": 512})
    prompt = [START, *words.encode(PROMPT)]
    return GenerationJob(
        AssignedVersion(served, "champion", AssignedArm("", NO_STEP, "champion")),
        PROMPT,
        prompt,
        len(prompt) - 1,
        Sampling(),
        samples,
        seed=7,
        until=time.monotonic() + 5,
        request_id="r",
        user="ada",
    )


def write(client: FakeClient, samples: int = 1) -> list[Sample]:
    return asyncio.run(writer(client).write(job(client.words, samples)))


def stream(client: FakeClient, samples: int = 1) -> tuple[list[Piece], list[Sample]]:
    """Return the pieces and the samples of a stream."""
    results: list[Sample] = []

    async def collect() -> list[Piece]:
        return [piece async for piece in writer(client).stream(job(client.words, samples), results)]

    return asyncio.run(collect()), results


def text_of(pieces: Sequence[Piece]) -> str:
    return "".join(token.text for piece in pieces for token in piece.tokens)


def is_first_attempt(seed: int) -> bool:
    return seed % 2**53 == seed


def test_samples_have_consecutive_seeds_and_one_call(words: Tokenizer) -> None:
    client = FakeClient(words, lambda seed: GOOD)
    assert [sample.text for sample in write(client, samples=3)] == [GOOD] * 3
    assert client.seeds == [[7, 8, 9]]


def test_a_refused_sample_is_generated_again_with_another_seed(words: Tokenizer) -> None:
    client = FakeClient(words, lambda seed: BAD if seed == 8 else GOOD)
    assert [sample.text for sample in write(client, samples=2)] == [GOOD, GOOD]
    assert client.seeds[0] == [7, 8] and len(client.seeds[1]) == 1 and not is_first_attempt(client.seeds[1][0])


def test_a_sample_that_is_refused_in_every_attempt_is_empty(words: Tokenizer) -> None:
    client = FakeClient(words, lambda seed: BAD)
    [sample] = write(client)
    assert (sample.text, sample.finish, sample.rule, sample.written.tokens) == ("", REFUSED, "words.severe", [])
    assert len(client.seeds) == FakeFiltering.attempts


def test_a_stream_has_the_text_of_the_response_without_a_stream(words: Tokenizer) -> None:
    pieces, results = stream(FakeClient(words, lambda seed: GOOD))
    assert text_of(pieces) == GOOD and len(pieces) > 1
    assert [sample.text for sample in results] == [GOOD]


def test_a_stream_resamples_before_its_first_piece(words: Tokenizer) -> None:
    pieces, results = stream(FakeClient(words, lambda seed: BAD if is_first_attempt(seed) else GOOD))
    assert text_of(pieces) == GOOD
    assert [sample.text for sample in results] == [GOOD]


def test_a_stream_ends_before_a_later_refused_word(words: Tokenizer) -> None:
    client = FakeClient(words, lambda seed: GOOD + BAD)
    pieces, [sample] = stream(client)
    assert text_of(pieces) and "zounds" not in text_of(pieces)
    assert (sample.text, sample.finish) == ("", REFUSED)
    assert all(map(is_first_attempt, [seed for seeds in client.seeds for seed in seeds]))


@pytest.mark.parametrize(
    "changes", [{"log_prob": None}, {"log_prob": [[-0.5]]}, {"log_prob": [[float("nan")] * 50]}, {"stop_reason": [99]}, {"tokens": [None]}], ids=str
)  # fmt: skip
def test_an_invalid_response_of_the_model_server_is_refused(words: Tokenizer, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        write(FakeClient(words, lambda seed: GOOD, **changes))
    assert refused.value.status == 502


def test_refusals_of_the_content_filter_do_not_name_the_rule() -> None:
    for refusal in (prompt_refused(FilterDecision(False, "words.severe", "slur")), completion_refused()):
        assert (refusal.status, refusal.code) == (422, "content_refused")
        assert "severe" not in refusal.message and "slur" not in refusal.message


def test_filtering_reports_each_decision_to_the_metrics() -> None:
    counted: list[tuple[Any, ...]] = []

    async def moderate(text: str, side: str) -> FilterDecision:
        return FilterDecision(False, "moderation.hate")

    content_filter = SimpleNamespace(
        restricted=(), check=lambda text, side, before: FilterDecision("zounds" not in text, "words.severe" if "zounds" in text else ""), moderate=moderate
    )  # fmt: skip
    metrics = SimpleNamespace(filtered=lambda *values: counted.append(values))
    filtering = Filtering(cast(Any, content_filter), cast(Any, metrics), lambda text: "digest", attempts=3)
    assert asyncio.run(filtering.decide("zounds", "prompt")).rule == "words.severe"
    assert asyncio.run(filtering.decide("rose", "completion", PROMPT)).rule == "moderation.hate"
    assert counted == [("prompt", False, "words.severe"), ("completion", False, "moderation.hate")]
