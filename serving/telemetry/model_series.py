"""Series of the versions that serve, and of what the content filter decides."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge


class ModelSeries:
    """Versions in service, loads, and the filter's decisions."""

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
        """(version, digest, arm) of all that serve; the first 12 digits of a digest tell versions apart."""
        self.versions.clear()
        for version, digest, arm in versions:
            self.versions.labels(version, digest[:12], arm).set(1)

    def waiting(self, registry: CollectorRegistry, name: str, help: str, waiting: Callable[[], float]) -> None:
        """A gauge that asks when it is read."""
        Gauge(name, help, registry=registry).set_function(waiting)
