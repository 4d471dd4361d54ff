import threading
from collections.abc import Callable

import pytest

from robo_poet.request_log.record import Request, Score
from robo_poet.request_log.scoring import MAX_QUEUED, Scoring


def test_a_failing_server_does_not_end_the_scoring(request_of: Callable[..., Request]) -> None:
    found: list[tuple[str, Score]] = []
    done = threading.Semaphore(0)

    def score(record: Request) -> Score | None:
        done.release()
        if record.completion_id == "c0":
            raise ConnectionError("gone")
        return None if record.completion_id == "c1" else Score(10.0, 5)

    scoring = Scoring(score, 1e6, lambda record, score: found.append((record.completion_id, score)))
    for n in range(3):
        assert scoring.put(request_of(n))
        assert done.acquire(timeout=10)
    scoring.close()
    assert found == [("c2", Score(10.0, 5))]


def test_the_rate_is_limited(request_of: Callable[..., Request]) -> None:
    clock, scored = [100.0], threading.Semaphore(0)
    scoring = Scoring(lambda _: scored.release(), 2, lambda *_: None, lambda: clock[0])

    def put(number: int) -> bool:
        return scoring.put(request_of(number)) and scored.acquire(timeout=10)

    taken = 0
    for tenth in range(100):
        clock[0] = 100 + tenth / 10
        taken += put(tenth)
    assert 19 <= taken <= 21
    clock[0] = 1000.0
    assert sum(put(n) for n in range(10)) <= 2  # no burst after a silence
    scoring.close()


def test_prompts_are_skipped_while_the_server_is_slow(request_of: Callable[..., Request]) -> None:
    let = threading.Event()
    scoring = Scoring(lambda _: let.wait(10) and None, 1e6, lambda *_: None)
    taken = [scoring.put(request_of(n)) for n in range(50)]
    assert 0 < sum(taken) <= MAX_QUEUED + 1
    let.set()
    scoring.close()


@pytest.mark.parametrize("fields", [{"status": 400}, {"prompt": ""}])
def test_refused_and_empty_prompts_are_not_scored(request_of: Callable[..., Request], fields: dict[str, object]) -> None:
    scoring = Scoring(lambda _: None, 1e6, lambda *_: None)
    assert not scoring.put(request_of(0, **fields))
    scoring.close()
    never = Scoring(lambda _: None, 0, lambda *_: None)
    assert not never.put(request_of(0))
    never.close()
