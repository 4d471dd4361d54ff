import re
from pathlib import Path

import httpx
import pytest

from cli.replay.programs import free_port
from robo_poet.registry.registry import Registry
from robo_poet.settings.serve import ServeSettings
from tests.infra.monitored import needs_both, prometheus, query, wait_for
from tests.serving.gateway.conftest import QUIET
from tests.serving.gateway.running import Gateway, running, wait_until
from tests.serving.gateway.stand_in_model_server import StandInModelServer


def gauges(gateway: Gateway) -> dict[str, float]:
    """Return what the metrics say about readiness."""
    found = re.findall(r"^robo_poet_(ready|problems)\{.*\} (.+)$", httpx.get(f"{gateway.address}/metrics").text, re.MULTILINE)
    return {name: float(value) for name, value in found}


def test_readiness_reports_the_served_version(live: Gateway) -> None:
    response = httpx.get(f"{live.address}/readyz")
    assert (response.status_code, response.json()) == (200, {
        "status": "ready", "champion": 1, "canary": None, "canary_share": 0, "degraded": [],
    })  # fmt: skip
    assert httpx.get(f"{live.address}/healthz").json() == {"status": "alive"}


def test_head_has_the_status_of_get_and_no_body(staged: Gateway, server: StandInModelServer) -> None:
    for path in ("/healthz", "/readyz"):
        response = httpx.head(f"{staged.address}{path}")
        assert (response.status_code, response.content) == (httpx.get(f"{staged.address}{path}").status_code, b"")


def test_readiness_fails_while_no_version_is_loaded(staged: Gateway, server: StandInModelServer) -> None:
    server.available = set()
    assert wait_until(lambda: httpx.get(f"{staged.address}/readyz").status_code == 503)
    response = httpx.get(f"{staged.address}/readyz")
    assert response.json()["status"] == "not_ready" and "version 1 is not loaded by the model server" in response.json()["degraded"]
    assert staged.generate().json()["error"]["code"] == "no_model"
    assert gauges(staged) == {"ready": 0, "problems": 1}
    server.available = {1}
    assert wait_until(lambda: httpx.get(f"{staged.address}/readyz").status_code == 200)
    assert gauges(staged) == {"ready": 1, "problems": 0}


@needs_both
def test_prometheus_raises_an_alert_while_no_version_is_loaded(staged: Gateway, server: StandInModelServer, tmp_path: Path) -> None:
    jobs = dict.fromkeys(
        ("robo-poet-model-server", "robo-poet-canary", "robo-poet-model-sync", "robo-poet-drift", "robo-poet-retraining", "alertmanager"),
        free_port(),
    )  # nothing listens there
    alert = 'ALERTS{alertname="RoboPoetNotReady",alertstate="firing",model="shakespeare"}'
    with prometheus(tmp_path, 1 / 300, {**jobs, "robo-poet-gateway": int(staged.address.rpartition(":")[2])}) as address:
        wait_for(lambda: query(address, "robo_poet_ready == 1"))
        server.available = set()
        wait_for(lambda: query(address, alert))
        server.available = {1}
        wait_for(lambda: query(address, alert) == [])


def test_metrics_are_readable_from_this_machine_only(staged: Gateway) -> None:
    staged.generate()
    response = httpx.get(f"{staged.address}/metrics")
    assert response.status_code == 200 and response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'robo_poet_requests_total{arm="champion",model="shakespeare",route="generate",status="2xx",version="1"}' in response.text
    proxied_response = httpx.get(f"{staged.address}/metrics", headers={"X-Forwarded-For": "203.0.113.7"})
    assert proxied_response.status_code == 401  # through a local proxy, every client has a loopback address


@pytest.mark.parametrize(("metrics_for", "status"), [("scope", 401), ("all", 200)])
def test_access_to_metrics_follows_the_setting(
    registry: Registry, server: StandInModelServer, tmp_path: object, metrics_for: str, status: int
) -> None:
    settings = {
        **QUIET,
        "model_server": server.address,
        "registry": str(registry.root),
        "folder": str(tmp_path),
        "metrics_for": metrics_for,
        "content_filter": {"toxicity": {"prompt": "off", "completion": "off"}},
    }
    with running(ServeSettings(**settings)) as gateway:  # type: ignore[arg-type]
        assert httpx.get(f"{gateway.address}/metrics").status_code == status
        assert gateway.http.get("/metrics").status_code == 200
        key = gateway.key("bob", ("generate",))
        assert wait_until(lambda: gateway.http.post("/v1/generate", headers={"X-API-Key": key}).status_code != 401)
        assert gateway.http.get("/metrics", headers={"X-API-Key": key}).status_code == (403 if metrics_for == "scope" else 200)
