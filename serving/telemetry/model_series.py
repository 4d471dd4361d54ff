"""Prometheus series of the model versions in service and of the content filter's decisions."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge


class ModelSeries:
    """The series of versions in service, loads, and filter decisions, registered in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.versions = Gauge(
            "robo_poet_model_version_info", "1 for each version in service.", ["version", "digest", "arm"], registry=registry
        )
        self.loads = Counter("robo_poet_model_loads_total", "Versions taken into service.", ["version", "outcome"], registry=registry)
        self.filter = Counter(
            "robo_poet_filter_decisions_total", "Decisions of the content filter; the rule where it refused.",
            ["side", "decision", "rule"], registry=registry,
        )  # fmt: skip

    def serving(self, versions: Iterable[tuple[str, str, str]]) -> None:
        """Set the versions in service, as (version, digest, arm). The label holds the first 12 digits of the digest."""
        self.versions.clear()
        for version, digest, arm in versions:
            self.versions.labels(version, digest[:12], arm).set(1)

    def waiting(self, registry: CollectorRegistry, name: str, help: str, waiting: Callable[[], float]) -> None:
        """Register a gauge that calls `waiting` at each scrape."""
        Gauge(name, help, registry=registry).set_function(waiting)
