"""The monitoring configuration with scaled durations is valid, and complete but for what a replay has not."""

import subprocess
from pathlib import Path

import yaml

from cli.replay.monitoring_config import INFRA, scaled, write_alertmanager, write_prometheus
from tests.infra.monitored import needs_amtool, needs_promtool


def test_durations_of_rules_and_ranges_are_scaled_and_other_text_is_not() -> None:
    rule = {"alert": "A", "expr": "rate(x[5m]) > 2", "for": "1h", "annotations": {"summary": "for 5m"}, "labels": {"window": "5m"}}
    changed = {**rule, "expr": "rate(x[3000ms]) > 2", "for": "36000ms"}
    assert scaled({"groups": [rule]}, 0.01) == {"groups": [changed]}


@needs_promtool
def test_prometheus_accepts_the_rules_and_scrapes_the_targets_only(tmp_path: Path) -> None:
    config = write_prometheus(tmp_path, 0.01, {"robo-poet-gateway": 8080, "alertmanager": 9093})
    subprocess.run(["promtool", "check", "config", str(config)], check=True, capture_output=True)
    jobs = yaml.safe_load(config.read_text())["scrape_configs"]
    assert {job["job_name"] for job in jobs} == {"robo-poet-gateway", "alertmanager"}
    rules = [group["rules"] for group in yaml.safe_load((tmp_path / "alerts.yml").read_text())["groups"]]
    original = [group["rules"] for group in yaml.safe_load((INFRA / "prometheus" / "alerts.yml").read_text())["groups"]]
    assert [[rule["alert"] for rule in group] for group in rules] == [[rule["alert"] for rule in group] for group in original]


@needs_amtool
def test_alertmanager_accepts_the_routes_with_and_without_mail(tmp_path: Path) -> None:
    secrets = {"retraining-token": "a token", "slack-url": "http://127.0.0.1:1/slack", "smtp-password": "a password"}
    for smtp in (0, 2525):
        config = write_alertmanager(tmp_path, 0.01, secrets, trigger=9465, smtp=smtp)
        subprocess.run(["amtool", "check-config", str(config)], check=True, capture_output=True)
        assert ("email_configs" in config.read_text()) == bool(smtp)
    assert (tmp_path / "retraining-token").stat().st_mode & 0o077 == 0
