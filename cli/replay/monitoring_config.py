"""The configuration of Prometheus and Alertmanager in infra/, with shorter durations and the ports of programs on this machine.

A replay takes minutes, and the rules wait minutes and hours. All durations are multiplied by one factor, so the rules stay the same in
proportion. The expressions have no other times (infra/prometheus/alerts.yml says so, and a test checks it).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from robo_poet.atomic import write_text
from robo_poet.commands import ROOT

INFRA = ROOT / "infra"
SECRETS = "/etc/robo-poet/secrets"  # folder of the secrets in the configuration
MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DURATION = re.compile(r"(\d+)(ms|[smhd])")
KEYS = {"for", "keep_firing_for", "interval", "group_wait", "group_interval", "repeat_interval", "resolve_timeout"}


def scaled(value: Any, factor: float, key: str = "") -> Any:
    """Return a configuration with its durations times `factor`: the values of `KEYS`, and the ranges of expressions."""
    if isinstance(value, dict):
        return {name: scaled(inner, factor, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [scaled(inner, factor) for inner in value]
    if key == "expr":
        return re.sub(r"\[[^\]]+\]", lambda match: _times(match[0], factor), value)
    return _times(value, factor) if key in KEYS else value


def _times(text: str, factor: float) -> str:
    return DURATION.sub(lambda duration: f"{round(int(duration[1]) * MILLISECONDS[duration[2]] * factor)}ms", text)


def write_prometheus(folder: Path, factor: float, targets: Mapping[str, int], scrape: str = "250ms") -> Path:
    """Write configuration and rules of Prometheus. Return the path of the configuration.

    Args:
        targets: job, and `alertmanager` → port on this machine. Other jobs are left out.
        scrape: time between two scrapes and between two evaluations of the rules.
    """
    for name in ("recording.yml", "alerts.yml"):
        rules = yaml.safe_load((INFRA / "prometheus" / name).read_text("utf-8"))
        write_text(folder / name, yaml.safe_dump(scaled(rules, factor)))
    config = yaml.safe_load((INFRA / "prometheus" / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": scrape, "scrape_timeout": scrape, "evaluation_interval": scrape}
    config["scrape_configs"] = [job for job in config["scrape_configs"] if job["job_name"] in targets]
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [f"127.0.0.1:{targets[job['job_name']]}"]}]
    config["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{targets['alertmanager']}"]}]
    write_text(folder / "prometheus.yml", yaml.safe_dump(config))
    return folder / "prometheus.yml"


def write_alertmanager(folder: Path, factor: float, secrets: Mapping[str, str], *, trigger: int, smtp: int = 0) -> Path:
    """Write the configuration of Alertmanager and its secrets. Return the path of the configuration.

    Args:
        secrets: name of the secret's file → content.
        trigger: port of the trigger of the retraining on this machine.
        smtp: port of a mail server on this machine, without TLS; 0: no mails are sent.
    """
    for name, secret in secrets.items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(secret)
    text = (INFRA / "alertmanager" / "alertmanager.yml").read_text("utf-8")
    changes = {
        SECRETS: str(folder), "127.0.0.1:9465": f"127.0.0.1:{trigger}", "smtp.example.com:587": f"127.0.0.1:{smtp}",
        "smtp_require_tls: true": "smtp_require_tls: false",
    }  # fmt: skip
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"infra/alertmanager/alertmanager.yml no longer contains {old!r}")
        text = text.replace(old, new)
    config = scaled(yaml.safe_load(text), factor)
    if not smtp:
        for receiver in config["receivers"]:
            receiver.pop("email_configs", None)
        config["global"] = {key: value for key, value in config["global"].items() if not key.startswith("smtp_")}
    write_text(folder / "alertmanager.yml", yaml.safe_dump(config))
    return folder / "alertmanager.yml"
