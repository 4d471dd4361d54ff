"""The metrics of the program that keeps a model server in step with the registry (MON-1)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from serving.model_sync.sync import Look

GAUGES = {
    "look_timestamp_seconds": "Time of the last look without an error; 0 before the first one.",
    "versions": "Versions in the configuration of the model server.",
    "loaded_versions": "Versions that the model server has loaded; NaN while it does not answer.",
    "troubles": "Problems of the newest look, such as a canary whose files differ.",
    "ready": "1 if the champion is verified and in the configuration.",
}


class SyncSeries:
    """The metrics of one model. All of them exist with 0 from the start.

    Attributes:
        registry: has all metrics.
        errors: counts the looks that ended with an error.
    """

    def __init__(self, model: str) -> None:
        self.registry = CollectorRegistry()
        errors = Counter("robo_poet_model_sync_errors", "Looks that ended with an error.", ["model"], registry=self.registry)
        self.errors = errors.labels(model)
        self._gauges = {
            name: Gauge(f"robo_poet_model_sync_{name}", text, ["model"], registry=self.registry).labels(model)
            for name, text in GAUGES.items()
        }
        ProcessCollector(registry=self.registry)

    def looked(self, look: Look, now: float) -> None:
        """Record a look without an error. `now` is in seconds since 1970."""
        values = (now, look.versions, float("nan") if look.loaded is None else look.loaded, len(look.troubles), look.ready)
        for gauge, value in zip(self._gauges.values(), values, strict=True):
            gauge.set(value)
