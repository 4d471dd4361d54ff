"""The newest verdict as Prometheus metrics, for the rules in infra/prometheus/alerts.yml (MON-2)."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.drift.history import Judged
from robo_poet.exporter import LookSeries
from robo_poet.judges.drift.judge import WORDS

LOOK = "look_timestamp_seconds"


class DriftGauges(Collector):
    """Metrics of the newest judged window of a model. Before the first window, only the length of a window is exported.

    Args:
        newest: returns the newest judged window, None if there is none.
        window_seconds: length of a window.
    """

    def __init__(self, model: str, newest: Callable[[], Judged | None], window_seconds: float) -> None:
        self._model, self._newest, self._window_seconds = model, newest, window_seconds

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield _gauge("window_seconds", "Length of a window of live traffic.", {"model": self._model}, self._window_seconds)
        judged = self._newest()
        if judged is None:
            return
        labels = {"model": self._model, "version": str(judged.version)}
        yield _gauge("window_end_timestamp_seconds", "End of the newest judged window, in seconds since 1970.", labels, judged.end)
        yield _gauge("window_users", "Users with a score in the newest judged window.", labels, float(judged.row["users"]))
        for key, help_ in (
            ("perplexity", "Live perplexity of the newest judged window."),
            ("rise", "Its relative rise over the baseline."),
        ):
            if key in judged.row:
                yield _gauge(key if key == "perplexity" else "rise_ratio", help_, labels, judged.row[key])
        if "low" in judged.row:
            yield _gauge("rise_lower_bound_ratio", "Lower bound of the relative rise.", labels, judged.row["low"])
        verdict = GaugeMetricFamily("robo_poet_drift_verdict", "1 for the verdict on the newest window.", labels=[*labels, "action"])
        for action in WORDS:
            verdict.add_metric([*labels.values(), action], float(action == judged.action))
        yield verdict
        if judged.action == "drift":
            why = labels | {"baseline": judged.baseline[:16], "cause": judged.cause}
            yield _gauge("detected", "1 while the newest window is a drift, with the key of its cause.", why, 1.0)


class WatcherSeries(LookSeries):
    """All metrics of a watcher: the newest verdict, its looks, errors, CPU and memory.

    Attributes:
        newest: the newest judged window; the exporter reads it in another thread.
    """

    def __init__(self, model: str, window_seconds: float, newest: Judged | None = None) -> None:
        super().__init__("robo_poet_drift", model, {LOOK: "Time of the last look without an error; 0 before the first one."})
        self.newest = newest
        self.registry.register(DriftGauges(model, lambda: self.newest, window_seconds))

    def looked(self, now: float) -> None:
        """Record a look without an error at `now`, in seconds since 1970."""
        self.gauges[LOOK].set(now)


def _gauge(name: str, help_: str, labels: dict[str, str], value: float) -> Metric:
    family = GaugeMetricFamily(f"robo_poet_drift_{name}", help_, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family
