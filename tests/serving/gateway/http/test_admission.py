import concurrent.futures
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import Gateway, running, wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer

TEXT = {"text": "the rose sleeps upon"}


@contextmanager
def gateway_with_limits(registry: Registry, server: StandInModelServer, folder: Path, **settings: Any) -> Iterator[Gateway]:
    """Run a gateway with its own limits in front of the stand-in model server."""
    paths = {"model_server": server.address, "registry": str(registry.root), "folder": str(folder)}
    with running(ServeSettings(**{**QUIET, **paths, **settings})) as gateway:
        yield gateway


@pytest.fixture
def one_slot(registry: Registry, server: StandInModelServer, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that runs one generation request at a time."""
    with gateway_with_limits(registry, server, tmp_path, in_flight=1) as gateway:
        yield gateway


@pytest.mark.parametrize("path", ["/v1/generate", "/v1/feedback"])
@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": "rp_wrong_key"}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}]
)
def test_a_request_without_a_valid_key_is_a_401_error(
    staged: Gateway, server: StandInModelServer, path: str, headers: dict[str, str]
) -> None:
    response = httpx.post(staged.address + path, headers=headers, content=b"\xff not even JSON")
    assert response.status_code == 401 and response.json()["status"] == "error" and "www-authenticate" in response.headers
    assert server.calls == []


def test_a_key_permits_only_its_scopes(staged: Gateway) -> None:
    key = {"X-API-Key": staged.key("bob", ("feedback",))}
    assert wait_until(lambda: staged.http.post("/v1/generate", json=TEXT, headers=key).status_code == 403)
    assert staged.http.post("/v1/feedback", json={"completion_id": "x", "thumb": "up"}, headers=key).status_code == 404


@pytest.mark.parametrize(("path", "known", "status"), [("/v1/generate", False, 401), ("/v1/generate", True, 403), ("/metrics", False, 401)])
def test_failed_authentication_counts_against_the_rate_limit(
    registry: Registry, server: StandInModelServer, tmp_path: Path, path: str, known: bool, status: int
) -> None:
    settings = {"access": {"look_seconds": 0.05, "ip_failures_per_minute": 5}, "metrics_for": "scope"}
    with gateway_with_limits(registry, server, tmp_path, **settings) as gateway:
        key = gateway.key("eve", ("feedback",)) if known else "rp_aaaaaaaaaaaaaaaa_" + "A" * 43
        if known:
            assert wait_until(lambda: gateway.parts.access._ring.find(key.split("_")[1]) is not None)
        method = "GET" if path == "/metrics" else "POST"
        answers = [httpx.request(method, gateway.address + path, headers={"X-API-Key": key}).status_code for _ in range(7)]
        assert answers == [status] * 5 + [429] * 2
        assert gateway.generate().status_code == 200  # a good key of the same address still works


def test_the_audit_log_names_the_user_of_a_revoked_key(staged: Gateway) -> None:
    text = staged.key("mara", ("generate",))
    key = {"X-API-Key": text}
    assert wait_until(lambda: staged.http.post("/v1/generate", json=TEXT, headers=key).status_code == 200)
    staged.keys.revoke(text.split("_")[1], "lost")
    assert wait_until(lambda: staged.http.post("/v1/generate", json=TEXT, headers=key).status_code == 401)
    logs = (Path(staged.parts.settings.folder) / "audit").glob("refusals-*.jsonl")
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    revoked = [line for line in lines if line["code"] == "revoked_credentials" and line["credential"] == text.split("_")[1]]
    assert [line["count"] for line in revoked] == [1] and revoked[0]["user"]


def test_the_request_above_the_rate_limit_is_a_429_error(registry: Registry, server: StandInModelServer, tmp_path: Path) -> None:
    access = {"look_seconds": 0.05, "requests_per_minute": 3}
    with gateway_with_limits(registry, server, tmp_path, access=access) as gateway:
        key = {"X-API-Key": gateway.key("bob", ("generate",))}
        assert wait_until(lambda: gateway.parts.access._ring.find(key["X-API-Key"].split("_")[1]) is not None)
        responses = [gateway.http.post("/v1/generate", json=TEXT, headers=key) for _ in range(4)]
        metrics = gateway.http.get("/metrics").text
    assert [response.status_code for response in responses] == [200, 200, 200, 429]
    assert [response.headers["ratelimit-remaining"] for response in responses[:3]] == ["2", "1", "0"]
    assert int(responses[3].headers["retry-after"]) >= 1 and responses[3].json()["error"]["code"] == "rate_limited"
    assert "robo_poet_rate_limited_total" in metrics


def test_a_request_above_the_limit_in_flight_is_a_503_error(one_slot: Gateway, server: StandInModelServer) -> None:
    server.seconds = 0.5
    with concurrent.futures.ThreadPoolExecutor() as pool:
        responses = [future.result() for future in [pool.submit(one_slot.generate) for _ in range(2)]]
    assert sorted(response.status_code for response in responses) == [200, 503]
    refused = next(response for response in responses if response.status_code == 503)
    assert refused.json()["error"]["code"] == "overloaded" and refused.headers["retry-after"] == "1"


def test_at_the_limit_a_request_is_refused_before_authentication(one_slot: Gateway, server: StandInModelServer) -> None:
    server.seconds = 0.5
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(one_slot.generate)
        assert wait_until(lambda: one_slot.parts.client.calls == 1)
        assert httpx.post(f"{one_slot.address}/v1/generate", content=b"\xff not JSON").status_code == 503
        assert first.result().status_code == 200


def test_at_the_limit_a_long_body_goes_to_the_endpoint(one_slot: Gateway, server: StandInModelServer) -> None:
    server.seconds = 0.5
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(one_slot.generate)
        assert wait_until(lambda: one_slot.parts.client.calls == 1)
        response = httpx.post(f"{one_slot.address}/v1/generate", content=b"x" * 100_000, headers={"Content-Type": "application/json"})
        assert response.status_code == 401  # a long body must be read, so authentication comes first
        assert first.result().status_code == 200


def test_one_user_cannot_take_all_slots(registry: Registry, server: StandInModelServer, tmp_path: Path) -> None:
    """The scope `internal-load` has no limit per user."""
    server.seconds = 0.5
    with (
        gateway_with_limits(registry, server, tmp_path, in_flight_per_user=2) as gateway,
        concurrent.futures.ThreadPoolExecutor(12) as pool,
    ):
        keys = [gateway.key(user, ("generate",)) for user in ("eve", "bob")]
        assert wait_until(lambda: gateway.parts.access._ring.find(keys[1].split("_")[1]) is not None)
        crowd = [pool.submit(gateway.http.post, "/v1/generate", json=TEXT, headers={"X-API-Key": keys[0]}) for _ in range(5)]
        others = [pool.submit(gateway.http.post, "/v1/generate", json=TEXT, headers={"X-API-Key": keys[1]}) for _ in range(2)]
        load = [pool.submit(gateway.http.post, "/v1/generate", json=TEXT) for _ in range(4)]
        responses = [future.result() for future in crowd]
        assert sorted(response.status_code for response in responses) == [200, 200, 429, 429, 429]
        assert {response.json()["error"]["code"] for response in responses if response.is_error} == {"too_many_at_once"}
        assert {future.result().status_code for future in [*others, *load]} == {200}


def test_the_slot_of_a_finished_request_is_free_again(one_slot: Gateway) -> None:
    assert [one_slot.generate(stream=stream).status_code for stream in (False, True, False)] == [200] * 3


def test_the_queue_depth_counts_waiting_calls_only(registry: Registry, server: StandInModelServer, tmp_path: Path) -> None:
    server.seconds = 1.0
    with gateway_with_limits(registry, server, tmp_path, model_rows=5) as gateway, concurrent.futures.ThreadPoolExecutor() as pool:
        answers = [pool.submit(gateway.generate, num_samples=3) for _ in range(3)]
        assert wait_until(lambda: gateway.parts.client.calls == 3)
        depth = next(line for line in gateway.http.get("/metrics").text.splitlines() if line.startswith("robo_poet_queue_depth"))
        assert [answer.result().status_code for answer in answers] == [200] * 3
        assert len(server.calls) == 3
    assert depth == 'robo_poet_queue_depth{model="shakespeare"} 2.0'
