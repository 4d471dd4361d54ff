"""The alerts fire when they should, name a page that exists, and ask for metrics that our programs export (MON-2)."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.replay.monitoring_config import scaled
from robo_poet.settings.monitoring import DriftSettings
from tests.infra.exported import INFRA, Gateway, exported, metrics_of
from tests.infra.monitored import needs_promtool

ROOT = INFRA.parent
FILES = INFRA / "prometheus"
RULES: list[dict[str, Any]] = [rule for group in yaml.safe_load((FILES / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
ALERTS = sorted({rule["alert"] for rule in RULES})
TESTS = [FILES / "alerts_test.yml", FILES / "alerts_days_test.yml"]
CASES = [case for path in TESTS for test in yaml.safe_load(path.read_text())["tests"] for case in test["promql_expr_test"]]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))


def promtool(*arguments: object) -> None:
    checked = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_promtool
def test_promtool_accepts_configuration_and_rules() -> None:
    promtool("check", "config", FILES / "prometheus.yml")  # checks the rule files too


@needs_promtool
def test_each_alert_fires_in_time_and_resolves() -> None:
    promtool("test", "rules", *TESTS)


@needs_promtool
def test_durations_can_be_scaled(tmp_path: Path) -> None:
    day = 60 / 86_400  # a day in a minute
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(scaled(yaml.safe_load((FILES / "alerts.yml").read_text()), day)))
    promtool("check", "rules", tmp_path / "alerts.yml")


@needs_promtool
def test_no_alert_about_requests_fires_without_traffic(tmp_path: Path) -> None:
    """With the metrics of a gateway whose counters stand still, as at night. 0/0 is NaN."""
    lines = [line.rpartition(" ") for line in Gateway().read().decode().splitlines() if line.startswith("robo_poet_")]
    series = [{"series": name, "values": f"{value}+0x130"} for name, _, value in lines]
    series += [{"series": f'up{{job="robo-poet-{job}"}}', "values": "1x130"} for job in ("gateway", "model-server", "drift")]
    test = {
        "interval": "1m", "input_series": series, "promql_expr_test": [{"expr": "ALERTS", "eval_time": "2h", "exp_samples": []}],
    }  # fmt: skip
    rules = [str(FILES / "recording.yml"), str(FILES / "alerts.yml")]
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": rules, "tests": [test]}))
    promtool("test", "rules", tmp_path / "test.yml")


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_is_tested_before_while_and_after_it_fires(alert: str) -> None:
    fired = [case for case in CASES if any(f'"{alert}"' in sample["labels"] for sample in case["exp_samples"])]
    silent = [
        case for case in CASES
        if not case["exp_samples"] and re.fullmatch(re.findall(r'alertname=~?"([^"]+)"', case["expr"])[0], alert)
    ]  # fmt: skip
    assert fired and len(silent) >= 2


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_has_what_people_need(rule: dict[str, Any]) -> None:
    assert rule["for"]
    assert rule["labels"]["severity"] in ("warning", "critical")
    annotations = rule["annotations"]
    assert set(annotations) == {"summary", "description", "runbook_url"} and len(annotations["summary"]) < 120
    page = (ROOT / annotations["runbook_url"]).read_text("utf-8")
    assert page.startswith(f"# {rule['alert']}\n")
    assert re.findall(r"^(?:## |\*\*)(\w+)", page, re.MULTILINE) == ["Meaning", "Look", "Do", "Resolves"]


def test_each_page_has_an_alert_and_each_alert_is_in_the_reference() -> None:
    assert {page.relative_to(ROOT).as_posix() for page in RUNBOOKS} == {rule["annotations"]["runbook_url"] for rule in RULES}
    reference = (ROOT / "docs" / "reference" / "prometheus.md").read_text("utf-8")
    assert [alert for alert in ALERTS if f"[`{alert}`](../runbooks/" not in reference] == []


def test_alerts_and_their_pages_ask_for_exported_metrics() -> None:
    queries = [rule["expr"] for rule in RULES]
    queries += [query for page in RUNBOOKS for query in re.findall(r"promtool query instant \S+ '(.+)'", page.read_text("utf-8"))]
    assert len(queries) > 20
    assert {name for query in queries for name in metrics_of(query)} - exported() == set()


def test_a_new_version_has_time_for_its_baseline() -> None:
    [rule] = [rule for rule in RULES if rule["alert"] == "RoboPoetDriftUndecided"]
    decided, never = map(int, re.findall(r">= (\d+)", rule["expr"]))
    assert (decided, never) == (3, DriftSettings().baseline_windows + 3 - 1)  # the second counts from the end of the first window


def test_the_number_of_an_expression_is_no_duration() -> None:
    """So that a renderer can scale all durations."""
    numbers = {
        number
        for rule in RULES
        for number in re.findall(r"(?<![\w.\[])\d+(?:\.\d+)?(?![\w.%])", re.sub(r"\[[^\]]*\]|\"[^\"]*\"", "", rule["expr"]))
    }
    assert numbers <= {"0", "1", "0.05", "2", "0.9", "2.5", "3", "9"}
