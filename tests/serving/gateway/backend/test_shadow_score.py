import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from robo_poet.model.tokenizer import Tokenizer
from robo_poet.outcomes.record import NO_STEP, AssignedArm, Score
from serving.gateway.backend.model_client import ModelClient, VersionGone
from serving.gateway.backend.shadow_score import SCORES_PER_USER, ShadowScores
from serving.gateway.backend.versions import Served, ServedVersions
from serving.refusal import Refused

ARM = AssignedArm("d:7", 0, "champion")


class Client:
    """A model server: version n gives n nats for each token, and a call takes a second of the clock."""

    def __init__(self) -> None:
        self.now, self.calls, self.waiting = 0.0, list[int](), 0
        self.answer: Callable[[int, int], Mapping[str, Any]] = lambda version, count: {"log_prob": [[-float(version)] * count]}

    async def predict(self, version: int, signature: str, inputs: Mapping[str, Any], until: float, request_id: str) -> Mapping[str, Any]:
        assert signature == "score" and inputs["tokens"].shape[0] == 1
        self.calls.append(version)
        await asyncio.sleep(0)
        self.now += 1.0
        return self.answer(version, inputs["tokens"].shape[1] - 1)


class Versions:
    def __init__(self, words: Tokenizer) -> None:
        self.pair: tuple[Served, Served] | None = Served("poems", 2, "b", words, {}), Served("poems", 1, "a", words, {})

    def judged_pair(self, experiment: str) -> tuple[Served, Served] | None:
        return self.pair if experiment == "d:7" else None


class World:
    def __init__(self, words: Tokenizer, share: float = 0.1) -> None:
        self.client, self.versions, self.notes = Client(), Versions(words), list[tuple[AssignedArm, Score]]()
        self.scores = ShadowScores(
            cast(ModelClient, self.client), cast(ServedVersions, self.versions), share, lambda *note: self.notes.append(note),
            lambda: self.client.now,
        )  # fmt: skip

    async def offer(self, user: str = "u", text: str = "the rose sleeps", assigned: AssignedArm = ARM) -> bool:
        accepted = self.scores.offer(assigned, user, text, "r")
        for _ in range(10):
            await asyncio.sleep(0)
        return accepted


def test_both_versions_score_the_same_bytes_and_only_nats_and_bytes_are_kept(words: Tokenizer) -> None:
    world, text = World(words), "the rose sleeps, my heart burns …"
    assert asyncio.run(world.offer(text=text))
    [(assigned, score)] = world.notes
    tokens = len(words.encode(text))
    assert (assigned, score.canary, score.champion, score.bytes) == (ARM, 2.0 * tokens, 1.0 * tokens, len(text.encode()))
    assert world.client.calls == [2, 1] and world.scores.counts == {"scored": 1, "failed": 0, "too_long": 0}


def test_scores_take_at_most_their_share_of_the_time(words: Tokenizer) -> None:
    async def many(world: World) -> float:
        for number in range(2000):
            await world.offer(f"u{number}")
            world.client.now += 1.0
        return 2.0 * len(world.notes) / world.client.now

    assert 0.08 < asyncio.run(many(World(words))) < 0.102  # the rest of the last pair is not over
    assert asyncio.run(many(World(words, share=0.0))) == 0


def test_one_pair_runs_at_a_time_and_none_while_calls_wait(words: Tokenizer) -> None:
    world = World(words)

    async def offers() -> list[bool]:
        accepted = [world.scores.offer(ARM, f"u{number}", "the rose", "r") for number in range(5)]
        await world.scores.close()
        return accepted

    assert asyncio.run(offers()) == [True, False, False, False, False] and world.notes == []
    world = World(words)
    world.client.waiting = 1
    assert not asyncio.run(world.offer())


def test_a_user_is_scored_a_few_times_in_a_step(words: Tokenizer) -> None:
    world = World(words)

    async def offers() -> int:
        accepted = 0
        for _ in range(20):
            accepted += await world.offer("u")
            world.client.now += 1000
        return accepted

    assert asyncio.run(offers()) == SCORES_PER_USER


def test_without_an_experiment_nothing_is_scored(words: Tokenizer) -> None:
    world = World(words)
    assert not asyncio.run(world.offer(assigned=AssignedArm("d:7", NO_STEP, "champion")))
    assert not asyncio.run(world.offer(assigned=AssignedArm("other:1", 0, "champion")))
    world.versions.pair = None
    assert not asyncio.run(world.offer())


def gone(version: int, count: int) -> Mapping[str, Any]:
    raise VersionGone(version)


def refused(version: int, count: int) -> Mapping[str, Any]:
    raise Refused(503, "overloaded", "x")


def broken(version: int, count: int) -> Mapping[str, Any]:
    raise RuntimeError("x")


@pytest.mark.parametrize(
    "answer",
    [gone, refused, broken, lambda version, count: {}, lambda version, count: {"log_prob": [[-1.0]]}, lambda version, count: {"log_prob": [[float("nan")] * count]}],
)  # fmt: skip
def test_a_failed_score_is_counted_and_rests_too(words: Tokenizer, answer: Callable[[int, int], Mapping[str, Any]]) -> None:
    world = World(words)
    world.client.answer = answer
    assert asyncio.run(world.offer()) and world.notes == [] and world.scores.counts["failed"] == 1
    assert not asyncio.run(world.offer("other"))


def test_a_longer_prompt_in_the_same_batch_changes_no_score(words: Tokenizer) -> None:
    alone, beside = World(words), World(words)
    beside.client.answer = lambda version, count: {"log_prob": [[-float(version)] * count + [0.0] * 30]}
    assert asyncio.run(alone.offer()) and asyncio.run(beside.offer())
    nats = [[(note[1].canary, note[1].champion) for note in world.notes] for world in (alone, beside)]
    assert nats[0] == nats[1] and nats[0]


def test_a_text_that_does_not_fit_is_not_scored_in_part(words: Tokenizer) -> None:
    world = World(words)
    assert asyncio.run(world.offer(text="qz " * 600)) and world.notes == [] and world.scores.counts["too_long"] == 1
