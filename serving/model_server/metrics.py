"""Prometheus metrics of the model server: calls, queues, batches, and the memory and load of its processor and GPUs (MON-1)."""

import resource
from collections.abc import Iterable, Mapping
from typing import Protocol, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from serving.model_server.gpus import GpuCollector
from serving.model_server.versions import LoadedVersions

SECONDS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0, 30.0)


class ServerMetrics:
    """The metrics of one server: calls and their duration; at each scrape also queues, batches, process and GPUs.

    Args:
        gpus: a collector of the GPUs; None without GPUs.

    Attributes:
        registry: has all metrics.
        in_progress: the number of received predict calls that have no answer yet.
    """

    def __init__(self, versions: LoadedVersions, gpus: GpuCollector | None = None) -> None:
        self.registry = CollectorRegistry()
        names = ("model_name", "version", "code")
        self._calls = Counter("robo_poet_model_server_requests", "Predict calls, by status code.", names, registry=self.registry)
        self._seconds = Histogram(
            "robo_poet_model_server_request_duration_seconds", "Duration of a predict call including the queue, in seconds.",
            ("model_name",), buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.in_progress = Gauge(
            "robo_poet_model_server_requests_in_progress", "Predict calls without an answer yet.", registry=self.registry
        )
        self._versions = versions
        self.registry.register(_Queues(versions))
        ProcessCollector(registry=self.registry)
        if gpus:
            self.registry.register(gpus)

    def record_call(self, model: str, version: int, code: str, seconds: float) -> None:
        """Record a finished call.

        Models and versions that are not loaded share the label `other`: a client can invent their names.
        """
        known = {(name, number) for name, number, _ in self._versions.loaded()}
        known_name = model if any(name == model for name, _ in known) else "other"
        self._calls.labels(known_name, str(version) if (model, version) in known else "other", code).inc()
        self._seconds.labels(known_name).observe(seconds)

    def render(self) -> bytes:
        """Return all series in Prometheus' text format."""
        return generate_latest(self.registry)


class _Queued(Protocol):
    """The queues of a loaded version. `Servable` has them; importing it here would import TensorFlow."""

    waiting: int

    def batches(self) -> Mapping[int, int]:
        """Return the number of batches that ran, by size."""
        ...


class _Queues:
    """A collector of the queue and batches of each version, and of the peak memory of the process in bytes."""

    def __init__(self, versions: LoadedVersions) -> None:
        self._versions = versions

    def collect(self) -> Iterable[Metric]:
        waiting = GaugeMetricFamily("robo_poet_model_server_queue_rows", "Rows that wait for a batch.", labels=("model_name", "version"))
        batches = CounterMetricFamily(
            "robo_poet_model_server_batches", "Batches that ran, by size.", labels=("model_name", "version", "size")
        )
        for name, number, servable in self._versions.loaded():
            waiting.add_metric((name, str(number)), cast(_Queued, servable).waiting)
            for size, count in sorted(cast(_Queued, servable).batches().items()):
                batches.add_metric((name, str(number), str(size)), count)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        yield from (
            waiting,
            batches,
            GaugeMetricFamily("robo_poet_model_server_peak_memory_bytes", "Peak memory of the process.", value=peak),
        )
