"""The outcome that a request leaves, whatever happens to it."""

import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse

from robo_poet.outcomes.observations import Observations
from robo_poet.outcomes.reader import OutcomeReader
from robo_poet.settings.serve import ServeSettings
from serving.gateway.schema import GenerateRequest
from serving.telemetry.pseudonym import reader_of
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import Gateway, running, wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer


class Outcomes:
    """The outcomes that a gateway writes after this object was made."""

    def __init__(self, gateway: Gateway) -> None:
        self._reader = OutcomeReader(gateway.folder / "outcomes" / "shakespeare")
        self.rows: list[dict[str, Any]] = []
        self.kind = "outcome"
        list(self._reader.read())

    def next(self, seconds: float = 5.0) -> dict[str, Any]:
        """Return the next outcome."""

        def arrived() -> bool:
            self.rows += [{**fields, "arm": assigned.arm} for assigned, fields in self._reader.read() if fields["kind"] == self.kind]
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
    assert row["asked"] == 2 * GenerateRequest(text="a").max_length
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


def key_of(gateway: Gateway, user: str, *scopes: str) -> dict[str, str]:
    """Return the header with a new key."""
    key = gateway.key(user, ("generate", "feedback", *scopes))
    assert wait_until(lambda: gateway.http.post("/v1/generate", json={}, headers={"X-API-Key": key}).status_code == 422)
    return {"X-API-Key": key}


def test_a_trusted_application_names_its_readers(staged: Gateway, outcomes: Outcomes) -> None:
    """Each reader has a pseudonym and is the unit of the judge. The rate limit stays that of the key."""
    app, other = key_of(staged, "app", "end-users"), key_of(staged, "other", "end-users")
    limits = [
        staged.http.post("/v1/generate", json={"text": "the rose"}, headers={**headers, "X-End-User": reader}).headers[
            "RateLimit-Remaining"
        ]
        for headers, reader in ((app, "4711"), (app, "4712"), (other, "4711"))
    ]
    rows = [outcomes.next() for _ in range(3)]
    assert int(limits[0]) == int(limits[1]) + 1
    pseudonyms = [row["user"] for row in rows]
    assert len(set(pseudonyms)) == 3 and all("identified" not in row for row in rows)
    assert pseudonyms[0] == staged.parts.pseudonyms.user(reader_of("app", "4711"))
    assert staged.http.post("/v1/generate", json={"text": "the rose"}, headers=app).status_code == 200
    row = outcomes.next()
    assert row["identified"] is False and row["user"] == staged.parts.pseudonyms.user("app")


@pytest.mark.parametrize("route", ["generate", "feedback"])
def test_the_end_user_of_a_key_that_is_not_trusted_is_refused(staged: Gateway, route: str) -> None:
    refused = staged.http.post(f"/v1/{route}", json={"text": "the rose"}, headers={"X-End-User": "4711"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "missing_scope")
    assert "end-users" in refused.json()["error"]["message"]


def test_an_end_user_has_one_value_of_visible_characters(staged: Gateway) -> None:
    app = key_of(staged, "app", "end-users")
    for value in ("", "x" * 129, "two words", "a\tb", "é"):
        headers = [(b"X-API-Key", app["X-API-Key"].encode()), (b"X-End-User", value.encode())]
        answer = staged.http.post("/v1/generate", json={"text": "the rose"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_end_user"), value
    twice = [(b"X-API-Key", app["X-API-Key"].encode()), (b"X-End-User", b"a"), (b"X-End-User", b"b")]
    assert staged.http.post("/v1/generate", json={"text": "the rose"}, headers=twice).status_code == 400


def test_a_rating_counts_for_the_arm_of_the_user_and_only_for_its_version(staged: Gateway, outcomes: Outcomes) -> None:
    outcomes.kind = "rating"
    completion = staged.generate().json()["id"]
    for body, value in (({"rating": 5}, 1.0), ({"thumb": "down"}, -1.0), ({"rating": 2, "thumb": "up"}, 0.25)):
        assert staged.http.post("/v1/feedback", json={"completion_id": completion, **body}).status_code == 200
        row = outcomes.next()
        assert (row["arm"], row["value"], row["user"]) == ("champion", value, staged.parts.pseudonyms.user("ada"))
        assert completion not in str(row)
    other = staged.parts.ids.issue(9, "canary")
    assert staged.http.post("/v1/feedback", json={"completion_id": other, "rating": 1}).status_code == 200
    assert staged.http.post("/v1/feedback", json={"completion_id": completion, "rating": 3}).status_code == 200
    assert outcomes.next()["value"] == 0.0


def test_a_problem_of_the_outcomes_is_in_readyz(staged: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged.parts.outcomes, "_trouble", "outcomes cannot be written")
    monkeypatch.setattr(staged.parts.outcomes, "_tick", lambda last=False: True)
    assert "outcomes cannot be written" in staged.http.get("/readyz").json()["degraded"]


def test_a_canary_is_judged_by_its_assigned_users(server: StandInModelServer, make_registry: Any, tmp_path: Path) -> None:
    """The whole way: shares from the registry, outcomes by assigned arm, shadow scores, fallback, promotion with a watch, observations."""
    registry, users = make_registry(tmp_path / "registry", 2), [f"reader-{number}" for number in range(24)]
    registry.start_canary(2, who="ada", why="try")
    registry.set_share(2, 0, 0.5, who="ada", why="first step")
    server.available = {1, 2}
    server.behave = lambda body: None
    settings = {**QUIET, "model_server": server.address, "registry": str(registry.root), "folder": str(tmp_path / "serve")}
    settings["outcomes"] = {"shadow_share": 0.5}
    with running(ServeSettings(**settings)) as gateway:
        app = {"X-API-Key": gateway.keys.create(user="app", scopes=("generate", "internal-load", "end-users"), days=1).text}
        assert wait_until(lambda: gateway.http.post("/v1/generate", json={}, headers=app).status_code == 422)

        def ask() -> dict[str, str]:
            answers = {
                user: gateway.http.post("/v1/generate", json={"text": "the rose"}, headers={**app, "X-End-User": user}) for user in users
            }
            assert all(answer.status_code == 200 for answer in answers.values())
            return {user: answer.json()["metadata"]["arm"] for user, answer in answers.items()}

        first = ask()
        assert set(first.values()) == {"champion", "canary"} and ask() == first
        server.available = {1}  # the canary is not loaded any more: the champion serves its users
        assert wait_until(lambda: gateway.parts.versions.health.canary is None)
        assert set(ask().values()) == {"champion"}
        server.available = {1, 2}
        assert wait_until(lambda: gateway.parts.versions.health.canary == 2)
        experiment = gateway.parts.versions.choose("x").assigned.experiment
        registry.promote(2, who="ada", why="better", watch_share=0.5)
        assert wait_until(lambda: gateway.parts.versions.health.former == 1)
        assert ask() == {user: "champion" if arm == "canary" else "former" for user, arm in first.items()}  # nobody moved
    seen = Observations(tmp_path / "serve" / "outcomes" / "shakespeare", experiment, requests=3, seconds=60, slow_seconds=30, watch_step=4)
    seen.update(time.time() + 100)
    pseudonyms = {gateway.parts.pseudonyms.user(reader_of("app", user)): user for user in users}
    assert {(user.step, pseudonyms[user.user], user.arm) for user in seen.users} == {
        (step, user, arm) for user, arm in first.items() for step in (0, 4)
    }
    assert {user.requests for user in seen.users if user.step == 0} == {3} and {user.requests for user in seen.users if user.step == 4} == {
        1
    }
    on_canary = sum(arm == "canary" for arm in first.values())
    assert seen.fallback(0) == {"champion": 0.0, "canary": 1.0} and on_canary > 4  # each user once
    assert seen.fallback(4) == {"champion": 0.0, "canary": 0.0}
    assert seen.lost(0) == seen.lost(4) == {"champion": 0.0, "canary": 0.0} and seen.identified(0) and seen.damaged == 0
    assert any(user.quality == 0 for user in seen.users)  # the stand-in gives both versions the same likelihood
