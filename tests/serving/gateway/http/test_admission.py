import concurrent.futures
import json
from pathlib import Path

import httpx
import pytest

from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from tests.serving.gateway.api.test_generation import wait_until
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import Gateway, running
from tests.serving.gateway.stand_in_model_server import StandInModelServer

TEXT = {"text": "the rose sleeps upon"}


@pytest.mark.parametrize("path", ["/v1/generate", "/v1/feedback"])
@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": "rp_wrong_key"}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}]
)
def test_a_request_without_a_valid_key_is_a_401_error(staged: Gateway, server: StandInModelServer, path: str, headers: dict[str, str]) -> None:
    response = httpx.post(staged.address + path, headers=headers, content=b"\xff not even JSON")
    assert response.status_code == 401 and response.json()["status"] == "error" and "www-authenticate" in response.headers
    assert server.calls == []


def test_a_key_permits_only_its_scopes(staged: Gateway) -> None:
    key = {"X-API-Key": staged.key("bob", ("feedback",))}
    assert wait_until(lambda: staged.http.post("/v1/generate", json=TEXT, headers=key).status_code == 403)
    assert staged.http.post("/v1/feedback", json={"completion_id": "x", "thumb": "up"}, headers=key).status_code == 404


@pytest.mark.parametrize(("path", "known", "status"), [("/v1/generate", False, 401), ("/v1/generate", True, 403), ("/metrics", False, 401)])
def test_failed_authentication_counts_against_the_rate_limit(
    registry: Registry, server: StandInModelServer, tmp_path: object, path: str, known: bool, status: int
) -> None:
    given = {**QUIET, "access": {"look_seconds": 0.05, "ip_requests_per_minute": 5}, "metrics_for": "scope"}
    given |= {"model_server": server.address, "registry": str(registry.root), "folder": str(tmp_path)}
    with running(ServeSettings(**given)) as gateway:  # type: ignore[arg-type]
        key = gateway.key("eve", ("feedback",)) if known else "rp_aaaaaaaaaaaaaaaa_" + "A" * 43
        if known:
            assert wait_until(lambda: gateway.parts.access._ring.find(key.split("_")[1]) is not None)
        method = "GET" if path == "/metrics" else "POST"
        answers = [httpx.request(method, gateway.address + path, headers={"X-API-Key": key}).status_code for _ in range(7)]
        assert answers == [status] * 5 + [429] * 2


def test_the_audit_log_names_the_user_of_a_revoked_key(staged: Gateway) -> None:
    text = staged.key("mara", ("generate",))
    key = {"X-API-Key": text}
    assert wait_until(lambda: staged.http.post("/v1/generate", json=TEXT, headers=key).status_code == 200)
    staged.keys.revoke(text.split("_")[1], "lost")
    assert wait_until(lambda: staged.http.post("/v1/generate", json=TEXT, headers=key).status_code == 401)
    log = next((Path(staged.parts.settings.folder) / "audit").iterdir())

    def told() -> bool:
        lines = [line for line in map(json.loads, log.read_text().splitlines()) if line["code"] == "revoked_credentials"]
        return any(line["credential"] == text.split("_")[1] and line["user"] for line in lines)

    assert wait_until(told)


def test_who_asks_too_often_waits(registry: Registry, server: StandInModelServer, tmp_path: object) -> None:
    access = {"look_seconds": 0.05, "requests_per_minute": 3}
    given = {
        **QUIET,
        "access": access,
        "model_server": server.address,
        "registry": str(registry.root),
        "folder": str(tmp_path),
        "in_flight": 1,
    }
    with running(ServeSettings(**given)) as gateway:  # type: ignore[arg-type]
        key = {"X-API-Key": gateway.key("bob", ("generate",))}
        assert wait_until(lambda: gateway.parts.access._ring.find(key["X-API-Key"].split("_")[1]) is not None)
        answers = [gateway.http.post("/v1/generate", json=TEXT, headers=key) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers[:3]] == ["2", "1", "0"]
        assert int(answers[3].headers["retry-after"]) >= 1 and answers[3].json()["error"]["code"] == "rate_limited"
        assert "robo_poet_rate_limited_total" in gateway.http.get("/metrics").text

        server.seconds = 0.5  # and where there is room for one, the second goes
        with concurrent.futures.ThreadPoolExecutor() as pool:
            both = [future.result() for future in [pool.submit(gateway.generate) for _ in range(2)]]
        assert sorted(answer.status_code for answer in both) == [200, 503]
        shed = next(answer for answer in both if answer.status_code == 503)
        with concurrent.futures.ThreadPoolExecutor() as pool:  # nothing of a further one is read: nobody asks who they are
            first = pool.submit(gateway.generate)
            assert wait_until(lambda: gateway.parts.client.waiting == 1)
            assert httpx.post(f"{gateway.address}/v1/generate", content=b"\xff no JSON").status_code == 503
            long = httpx.post(f"{gateway.address}/v1/generate", content=b"x" * 100_000, headers={**key, "Content-Type": "application/json"})
            assert long.status_code == 429  # but for a body that may not stay unread
            assert first.result().status_code == 200
        assert shed.json()["error"]["code"] == "overloaded" and shed.headers["retry-after"] == "1"
        server.seconds = 0
        assert gateway.generate().status_code == 200 and gateway.generate(stream=True).status_code == 200  # room is given back
