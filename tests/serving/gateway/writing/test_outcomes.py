"""The outcome that a request leaves, whatever happens to it."""

import threading
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse

from robo_poet.outcomes.reader import OutcomeReader
from tests.serving.gateway.running import Gateway, wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer


class Outcomes:
    """The outcomes that a gateway writes after this object was made."""

    def __init__(self, gateway: Gateway) -> None:
        self._reader = OutcomeReader(gateway.folder / "outcomes" / "shakespeare")
        self.rows: list[dict[str, Any]] = []
        list(self._reader.read())

    def next(self, seconds: float = 5.0) -> dict[str, Any]:
        """Return the next outcome."""

        def arrived() -> bool:
            self.rows += [{**fields, "arm": assigned.arm} for assigned, fields in self._reader.read() if fields["kind"] == "outcome"]
            return bool(self.rows)

        assert wait_until(arrived, seconds)
        return self.rows.pop(0)


@pytest.fixture
def outcomes(staged: Gateway) -> Outcomes:
    wait_until(lambda: not staged.parts.outcomes.waiting)
    wait_until(lambda: False, 0.15)  # what an earlier test left is written
    return Outcomes(staged)


def test_a_completion_leaves_its_outcome(staged: Gateway, outcomes: Outcomes) -> None:
    answer = staged.generate(num_samples=2).json()
    row = outcomes.next()
    assert (row["arm"], row["version"], row["status"], row["completed"]) == ("champion", 1, 200, True)
    assert row["user"] == staged.parts.pseudonyms.user("ada") and row["tokens"] == answer["metadata"]["tokens_generated"]
    assert 0 < row["seconds"] < row["normalised"] and not {"refused", "degenerate", "aborted", "served", "identified"} & row.keys()
    assert staged.generate(stream=True).status_code == 200
    assert outcomes.next()["seq"] == row["seq"] + 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("status", "expected"), [(503, {"status": 503}), (500, {"status": 502}), (504, {"status": 504})])
def test_an_error_of_the_model_server_leaves_its_outcome(
    staged: Gateway, server: StandInModelServer, outcomes: Outcomes, status: int, expected: dict[str, Any], stream: bool
) -> None:
    server.behave = lambda body: JSONResponse({"error": "injected"}, status)
    assert staged.generate(stream=stream).status_code == expected["status"]
    row = outcomes.next()
    assert row.items() >= expected.items() and "completed" not in row and "aborted" not in row


def test_a_timeout_leaves_its_outcome(staged: Gateway, server: StandInModelServer, outcomes: Outcomes) -> None:
    server.seconds = 3
    assert staged.generate().status_code == 504
    assert outcomes.next()["status"] == 504


def test_a_refused_completion_leaves_its_outcome_and_so_does_a_refused_prompt(
    staged: Gateway, server: StandInModelServer, outcomes: Outcomes
) -> None:
    server.write = lambda seed: " zounds and more of the same old song"
    assert staged.generate().status_code == 422
    row = outcomes.next()
    assert row["status"] == 422 and row["refused"] and "completed" not in row
    assert staged.generate(text="zounds upon it").status_code == 422
    row = outcomes.next()
    assert row["status"] == 422 and "refused" not in row


def test_a_prompt_that_is_too_long_for_its_version_leaves_its_outcome(staged: Gateway, outcomes: Outcomes) -> None:
    assert staged.generate(text="o " * 900).status_code == 422
    assert outcomes.next()["status"] == 422


def test_requests_before_the_assignment_leave_none(staged: Gateway, outcomes: Outcomes) -> None:
    assert staged.generate(top_k=0).status_code == 422
    assert staged.http.post("/v1/generate", json={"text": "o"}, headers={"X-API-Key": "rp_wrong"}).status_code == 401
    assert staged.http.get("/readyz").status_code == 200
    assert staged.generate(seed=77).status_code == 200
    assert outcomes.next()["status"] == 200 and not outcomes.rows


def test_a_stream_that_the_client_leaves_differs_from_one_that_the_server_breaks(
    staged: Gateway, server: StandInModelServer, outcomes: Outcomes
) -> None:
    calls: list[int] = []
    server.write = lambda seed: " my heart burns over a bright cold star" * 12
    server.behave = lambda body: calls.append(1) if len(calls) < 1 else JSONResponse({"error": "injected"}, 500)  # type: ignore[func-returns-value]
    assert "event: error" in staged.generate(stream=True).text
    row = outcomes.next()
    assert (row["status"], row["aborted"]) == (502, "server") and "completed" not in row

    server.behave, server.seconds = (lambda body: None), 0.2
    with staged.http.stream("POST", "/v1/generate", json={"text": "the rose", "stream": True}) as response:
        next(response.iter_raw())
    row = outcomes.next()
    assert (row["status"], row["aborted"]) == (499, "client") and "completed" not in row


def test_a_client_that_leaves_before_the_answer_is_counted(staged: Gateway, server: StandInModelServer, outcomes: Outcomes) -> None:
    server.seconds = 1
    with pytest.raises(httpx.ReadTimeout):
        staged.http.post("/v1/generate", json={"text": "the rose"}, timeout=0.3)
    row = outcomes.next()
    assert (row["status"], row["aborted"]) == (499, "client")


@pytest.mark.parametrize(
    "text", [" the sea, the sea, the sea, the sea, the sea, the sea, the sea, the sea,", " oooooooooooooooooooooooooooo", " "]
)
def test_a_loop_one_character_and_an_empty_text_are_degenerate(
    staged: Gateway, server: StandInModelServer, outcomes: Outcomes, text: str
) -> None:
    server.write = lambda seed: text
    assert staged.generate().status_code == 200
    assert outcomes.next()["degenerate"]


def test_concurrent_requests_leave_one_outcome_each(staged: Gateway, outcomes: Outcomes) -> None:
    threads = [threading.Thread(target=staged.generate, kwargs={"seed": seed}) for seed in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [outcomes.next()["seq"] for _ in range(12)]
    assert numbers == list(range(numbers[0], numbers[0] + 12))
