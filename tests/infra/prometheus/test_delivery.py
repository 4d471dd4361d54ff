"""Real programs: Prometheus scrapes, evaluates the alerts at 1/300 of their durations, and Alertmanager delivers to real servers (MON-2)."""

from typing import Any

from tests.infra.conftest import Monitored
from tests.infra.monitored import needs_both, query, wait_for

DRIFT = {
    "alertname": "RoboPoetPerplexityDrift", "model": "poems", "version": "3", "baseline": "0123456789abcdef", "cause": "the world changed",
    "severity": "warning",
}  # fmt: skip


def firing(monitored: Monitored) -> set[str]:
    """Return the names of the firing alerts in Prometheus."""
    return {row["metric"]["alertname"] for row in query(monitored.prometheus, 'ALERTS{alertstate="firing"}') or []}


def deliveries(monitored: Monitored, status: str) -> list[dict[str, Any]]:
    """Return the bodies about this drift that the trigger of the retraining got with this status."""
    return [body for body in monitored.received.webhook if body["status"] == status and body["alerts"][0]["labels"] == DRIFT]


@needs_both
def test_a_drift_reaches_the_trigger_and_people_and_resolves(monitored: Monitored) -> None:
    wait_for(lambda: len(query(monitored.prometheus, "up == 1") or []) == 7)
    monitored.drift.cause = "the world changed"
    [body, *_] = wait_for(lambda: deliveries(monitored, "firing"))
    monitored.drift.cause = ""
    [alert] = body["alerts"]
    assert body["groupLabels"] == {"alertname": "RoboPoetPerplexityDrift", "model": "poems"}
    assert body["authorization"] == "Bearer a token"
    assert alert["annotations"]["runbook_url"] == "docs/runbooks/perplexity-drift.md"
    [resolved, *_] = wait_for(lambda: deliveries(monitored, "resolved"))
    [ended] = resolved["alerts"]
    assert (ended["labels"], ended["startsAt"], ended["fingerprint"]) == (DRIFT, alert["startsAt"], alert["fingerprint"])
    slack = wait_for(lambda: [text for text in monitored.received.slack if text.startswith("FIRING: RoboPoetPerplexityDrift poems\n")])
    assert "Likely cause: the world changed" in slack[0]
    [(subject, password), *_] = wait_for(lambda: [mail for mail in monitored.received.mail if "RoboPoetPerplexityDrift" in mail[0]])
    assert "[FIRING:1]" in subject and password == "a password"


@needs_both
def test_a_watcher_that_is_down_reaches_people_only(monitored: Monitored) -> None:
    wait_for(lambda: len(query(monitored.prometheus, "up == 1") or []) == 7)
    monitored.down.add("robo-poet-drift")
    try:
        wait_for(lambda: [text for text in monitored.received.slack if text.startswith("FIRING: RoboPoetDriftWatcherDown")])
        assert "RoboPoetDriftWatcherDown" in firing(monitored)
    finally:
        monitored.down.clear()
    wait_for(lambda: [text for text in monitored.received.slack if text.startswith("RESOLVED: RoboPoetDriftWatcherDown")])
    assert all(body["commonLabels"]["alertname"] == "RoboPoetPerplexityDrift" for body in monitored.received.webhook)


@needs_both
def test_a_refused_registry_reaches_people_and_resolves(monitored: Monitored) -> None:
    monitored.controller.refused = True
    try:
        wait_for(lambda: [text for text in monitored.received.slack if text.startswith("FIRING: RoboPoetRegistryRefused")])
        wait_for(lambda: [mail for mail in monitored.received.mail if "RoboPoetRegistryRefused" in mail[0]])
    finally:
        monitored.controller.refused = False
    wait_for(lambda: [text for text in monitored.received.slack if text.startswith("RESOLVED: RoboPoetRegistryRefused")])


@needs_both
def test_full_gpu_memory_fires_from_what_the_model_server_exports(monitored: Monitored) -> None:
    monitored.model_server.nvml.used = 95
    try:
        wait_for(lambda: "RoboPoetGpuMemoryHigh" in firing(monitored))
    finally:
        monitored.model_server.nvml.used = 60
    wait_for(lambda: "RoboPoetGpuMemoryHigh" not in firing(monitored))


@needs_both
def test_a_trigger_that_cannot_be_reached_reaches_people(monitored: Monitored) -> None:
    monitored.received.webhook_works, monitored.drift.cause = False, "unknown"
    try:
        wait_for(lambda: [text for text in monitored.received.slack if "Alertmanager cannot deliver by webhook" in text])
        wait_for(lambda: [mail for mail in monitored.received.mail if "RoboPoetNotificationsFail" in mail[0]])
    finally:
        monitored.received.webhook_works, monitored.drift.cause = True, ""
