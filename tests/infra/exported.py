"""The metrics that our programs export, collected from their registries, and small exporters with them for a real Prometheus."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from prometheus_client import generate_latest

from monitoring.drift.gauges import WatcherSeries
from monitoring.drift.history import Judged
from monitoring.retraining.receiver import LOOK, TriggerSeries
from robo_poet.judges.retraining.state import State
from robo_poet.settings.serve import TelemetrySettings
from serving.canary.__main__ import REFUSED, ControllerSeries
from serving.canary.controller import WHO
from serving.gateway.api.health import HealthEndpoints
from serving.gateway.assemble import watch_parts
from serving.gateway.backend.versions import VersionHealth
from serving.gateway.connection.table import ConnectionTable
from serving.model_server.gpus import GpuCollector
from serving.model_server.metrics import ServerMetrics
from serving.model_sync.__main__ import SyncSeries
from serving.model_sync.sync import Look
from serving.telemetry.metrics import Metrics

INFRA = Path(__file__).parents[2] / "infra"
MODEL = "poems"
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
OTHERS = {  # of Prometheus, Alertmanager and NVIDIA's exporter
    "up", "ALERTS", "alertmanager_notifications_failed_total", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_GPU_UTIL",
}  # fmt: skip
KEYWORDS = {"and", "or", "unless", "bool", "offset"}


class Nvml:
    """Stands for `pynvml` with one GPU whose memory is `used` of 100."""

    NVMLError = OSError

    def __init__(self, used: int = 60) -> None:
        self.used = used

    def nvmlDeviceGetCount(self) -> int:
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetMemoryInfo(self, _: int) -> Any:
        return SimpleNamespace(used=self.used, total=100)

    def nvmlDeviceGetUtilizationRates(self, _: int) -> Any:
        return SimpleNamespace(gpu=50)


class Gateway:
    """The metrics of a gateway with a champion and a canary. Each reading is preceded by some requests."""

    def __init__(self) -> None:
        self.metrics = Metrics(TelemetrySettings(), model=MODEL)
        parts: Any = SimpleNamespace
        HealthEndpoints(parts(health=VersionHealth(3, 4, (), True)), self.metrics, parts(troubles=[]), lambda: False, lambda: "", "all")
        log = parts(counts={"written": 3, "dropped": 0}, waiting=0, removed={"refusals": 0})
        watch_parts(self.metrics, log, log, log, ConnectionTable(10, 10), log)
        self.metrics.model_loaded(3)
        self.metrics.serving([(3, "ab" * 32, "champion"), (4, "cd" * 32, "canary")])

    def read(self) -> bytes:
        """Answer requests, and return the metrics."""
        for version, arm in ((3, "champion"), (4, "canary")):
            self.metrics.answered("generate", 200, 0.045, version=version, arm=arm)
            self.metrics.completed(
                version=version, arm=arm, user="ada", seconds=0.045, generation_seconds=0.04, prompt_tokens=5, lengths=[100],
                parameters={"temperature": 0.8, "top_p": 0.9, "top_k": 40, "max_length": 100, "num_samples": 1}, first_token_seconds=0.01,
            )  # fmt: skip
            self.metrics.scored("prompt", version=version, arm=arm, nats=15.0, tokens=5)
            self.metrics.feedback(version=version, arm=arm, rating=4, thumb="up")
        self.metrics.refused("rate_limited")
        return self.metrics.render()


class ModelServer:
    """The metrics of a model server with one GPU. Each reading is preceded by a call."""

    def __init__(self) -> None:
        self.nvml, self.batches = Nvml(), {1: 0}
        versions: Any = SimpleNamespace(loaded=lambda: [(MODEL, 3, SimpleNamespace(waiting=2, batches=lambda: self.batches))])
        self.metrics = ServerMetrics(versions, GpuCollector(self.nvml))

    def read(self) -> bytes:
        """Run a call, and return the metrics."""
        self.batches[1] += 1
        self.metrics.record_call(MODEL, 3, "OK", 0.04)
        return self.metrics.render()


class DriftWatcher:
    """The metrics of the drift watcher, with one judged window.

    Attributes:
        cause: likely cause if the verdict is a drift; empty if it is none.
    """

    def __init__(self, cause: str = "") -> None:
        self.metrics, self.cause = WatcherSeries(MODEL, 86_400), cause
        self.metrics.looked(time.time())

    def read(self) -> bytes:
        """Judge a window that has just ended, and return the metrics."""
        now = time.time()
        row = {"window": "a day", "users": 300, "unscored": 0.0, "perplexity": 60.0, "rise": 0.25, "low": 0.2, "high": 0.3}
        action = "drift" if self.cause else "no_drift"
        self.metrics.newest = Judged(
            3, "ab" * 32, "0123456789abcdef" * 4, now - 86_400, now, "cd" * 32, now, row, action, ["measured"], self.cause, {}
        )
        return generate_latest(self.metrics.registry)


class Retraining:
    """The metrics of the trigger of the retraining, with one finished request and `unapproved` ones."""

    def __init__(self) -> None:
        self.unapproved = 0
        trigger: Any = SimpleNamespace(
            model=MODEL, state=State, counts=lambda: {"asked": 1, "finished": 1}, unapproved=lambda: self.unapproved
        )
        self.series = TriggerSeries(trigger)

    def read(self) -> bytes:
        """Look, and return the metrics."""
        self.series.gauges[LOOK].set_to_current_time()
        return generate_latest(self.series.registry)


class Controller:
    """The metrics of a canary controller, whose newest move was a minute ago.

    Attributes:
        refused: the registry differs from what trusted keys signed.
    """

    def __init__(self) -> None:
        self.series, self.refused = ControllerSeries(MODEL), False

    def read(self) -> bytes:
        """Look, and return the metrics."""
        now: Any = SimpleNamespace(who=WHO, time=datetime.fromtimestamp(time.time() - 60, UTC).isoformat())
        self.series.looked(time.time(), [SimpleNamespace(statement=now)])  # type: ignore[list-item]
        self.series.gauges[REFUSED].set(self.refused)
        return generate_latest(self.series.registry)


class Sync:
    """The metrics of `model_sync`: two versions, and no trouble."""

    def __init__(self) -> None:
        self.series = SyncSeries(MODEL)

    def read(self) -> bytes:
        """Look, and return the metrics."""
        self.series.looked(Look(True, (), 2, 2), time.time())
        return generate_latest(self.series.registry)


def exported() -> set[str]:
    """Return the names of all metrics of our programs, of the recording rules, and of the exporters in `OTHERS`."""
    watcher = DriftWatcher("unknown")
    watcher.read()
    registries = [program.metrics.registry for program in (Gateway(), ModelServer(), watcher)]
    registries += [program.series.registry for program in (Retraining(), Controller(), Sync())]
    families = [family for registry in registries for family in registry.collect()]
    names = {family.name + suffix for family in families for suffix in SUFFIXES.get(family.type, ("",))}
    groups = yaml.safe_load((INFRA / "prometheus" / "recording.yml").read_text())["groups"]
    return names | {rule["record"] for group in groups for rule in group["rules"]} | OTHERS


def metrics_of(query: str) -> set[str]:
    """Return the names of the metrics in a PromQL expression."""
    text = re.sub(r'"[^"]*"|\[[^\]]*\]', "", query)
    text = re.sub(r"\{[^{}]*\}|\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", text)
    return set(re.findall(r"(?<![\w:.])[A-Za-z_:][\w:]*\b(?!\s*\()", text)) - KEYWORDS
