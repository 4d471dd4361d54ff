"""Each alert goes to the right receivers, and an alert that explains others silences them (MON-2)."""

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

from cli.replay.monitoring_config import SECRETS
from tests.infra.exported import INFRA
from tests.infra.monitored import alertmanager, ask, needs_amtool, needs_both, wait_for

FILE = INFRA / "alertmanager" / "alertmanager.yml"
ALERTS: dict[str, str] = {
    rule["alert"]: rule["labels"]["severity"]
    for group in yaml.safe_load((INFRA / "prometheus" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}


def amtool(*arguments: str) -> str:
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_amtool
def test_amtool_accepts_the_configuration() -> None:
    assert "SUCCESS" in amtool("check-config", str(FILE))


@needs_amtool
def test_each_alert_reaches_the_receivers_of_its_kind() -> None:
    for alert, severity in ALERTS.items():
        receivers = "mail-and-slack" if severity == "critical" else "slack"
        if alert == "RoboPoetPerplexityDrift":
            receivers = "retraining,mail-and-slack"
        amtool(
            "config", "routes", "test", f"--config.file={FILE}", f"--verify.receivers={receivers}",
            f"alertname={alert}", f"severity={severity}", "model=poems",
        )  # fmt: skip


def test_secrets_are_in_files_only() -> None:
    text = FILE.read_text()
    secrets = re.findall(r"^.*(?:password|token|api_url|credentials|secret)\w*:.*$", text, re.MULTILINE)
    assert len(secrets) == 3 and all("_file" in line and SECRETS in line for line in secrets)


def test_inhibitions_name_alerts_that_exist() -> None:
    rules = yaml.safe_load(FILE.read_text())["inhibit_rules"]
    matchers = [matcher for rule in rules for matcher in (*rule["source_matchers"], *rule["target_matchers"])]
    for matcher in matchers:
        operator, pattern = re.fullmatch(r'alertname (=~?) "(.+)"', matcher).groups()  # type: ignore[union-attr]
        expected = len(pattern[pattern.index("(") :].split("|")) if operator == "=~" else 1
        assert len([alert for alert in ALERTS if re.fullmatch(pattern, alert)]) == expected, matcher


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), 1 / 300) as (address, _):
        yield address


@needs_both
@pytest.mark.parametrize(
    ("source", "silenced", "active"),
    [
        (
            {"alertname": "RoboPoetGatewayDown", "job": "robo-poet-gateway"},
            [{"alertname": "RoboPoetLatencyHigh"}, {"alertname": "RoboPoetTargetDown", "job": "robo-poet-gateway"}],
            [{"alertname": "RoboPoetGpuMemoryHigh"}, {"alertname": "RoboPoetTargetDown", "job": "robo-poet-model-server"}],
        ),
        (
            {"alertname": "RoboPoetNotReady", "model": "poems"},
            [{"alertname": "RoboPoetErrorsHigh", "model": "poems"}],
            [{"alertname": "RoboPoetErrorsHigh", "model": "plays"}, {"alertname": "RoboPoetPerplexityDrift", "model": "poems"}],
        ),
        (
            {"alertname": "RoboPoetDriftWatcherDown"},
            [{"alertname": "RoboPoetDriftNoWindow", "model": "poems"}],
            [{"alertname": "RoboPoetPerplexityDrift", "model": "poems"}],
        ),
    ],
)
def test_an_alert_silences_what_it_explains(
    manager: str, source: dict[str, str], silenced: list[dict[str, str]], active: list[dict[str, str]], request: pytest.FixtureRequest
) -> None:
    case = request.node.name  # so that the cases do not silence each other's alerts, they run one after another and end theirs
    alerts = [{"labels": labels | {"case": case}} for labels in (source, *silenced, *active)]
    assert ask(f"{manager}/api/v2/alerts", alerts) is not None

    def states() -> dict[str, list[str]] | None:
        found = [alert for alert in json.loads(ask(f"{manager}/api/v2/alerts") or b"[]") if alert["labels"]["case"] == case]
        if len(found) < len(alerts) or any(alert["status"]["state"] == "unprocessed" for alert in found):
            return None
        return {
            state: sorted(json.dumps(alert["labels"], sort_keys=True) for alert in found if alert["status"]["state"] == state)
            for state in ("active", "suppressed")
        }

    def named(rows: list[dict[str, str]]) -> list[str]:
        return sorted(json.dumps({name: value for name, value in row.items() if value} | {"case": case}, sort_keys=True) for row in rows)

    assert wait_for(states) == {"active": named([source, *active]), "suppressed": named(silenced)}
    ended = [{**alert, "endsAt": "2020-01-01T00:00:01Z", "startsAt": "2020-01-01T00:00:00Z"} for alert in alerts]
    ask(f"{manager}/api/v2/alerts", ended)
