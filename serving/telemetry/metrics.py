"""Prometheus metrics of serving (MON-1). All label values are from fixed or bounded sets; see `labels`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric

from robo_poet.settings.serve import TelemetrySettings
from serving.telemetry.audience import AudienceSeries
from serving.telemetry.labels import FixedLabels, VersionLabels, WordLabels
from serving.telemetry.series import CountsCollector, ModelSeries, ParameterSeries, RequestSeries

# The `_created` series would be a third of all series, and no dashboard uses them.
disable_created_metrics()  # type: ignore[no-untyped-call]

VERSIONS = 8  # champion, canary and recently pinned versions; each version costs about 40 series
ROUTES = ("generate", "stream", "feedback", "models", "health", "ready", "metrics", "openapi", "page")
GENERATION_ROUTES = ("generate", "stream")
SERVING_ARMS = ("champion", "canary")
THUMBS = ("up", "down")
STATUS_CLASSES = ("2xx", "4xx", "5xx")
ARMS = ("champion", "canary", "former", "stable", "pinned", "none")
CODES = (
    "bad_request", "invalid_json", "invalid_utf8", "invalid_body", "invalid_field", "invalid_text", "missing_credentials",
    "invalid_credentials", "expired_credentials", "revoked_credentials", "credentials_unchecked", "forbidden", "missing_scope", "not_found",
    "unknown_completion", "invalid_end_user", "method_not_allowed", "slow_body", "slow_headers", "headers_too_large", "url_too_long",
    "unread_answer", "body_too_large", "unsupported_media_type", "content_refused",
    "rate_limited", "too_many_at_once", "internal", "model_failed", "model_unavailable", "no_model", "overloaded", "timeout",
)  # fmt: skip
RULES = 64  # maximum number of rule names: an operator can add some
MIN_NORMALISED_TOKENS = 20  # tokens: because of the fixed cost of 10 to 20 ms per call, 1 token would count as 2 s per 100 tokens


class Metrics:
    """All metrics of one process, in a separate registry. Thread-safe. No method raises because of a value that a client sent.

    Args:
        settings: session gap, user limit and cost per second.
        model: name of the served model, the label `model` of every series `robo_poet_…`; empty for no label.
    """

    content_type = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, settings: TelemetrySettings | None = None, *, model: str = "") -> None:
        self._model = model
        self.settings = settings or TelemetrySettings()
        self.registry = CollectorRegistry()
        self._requests = RequestSeries(self.registry)
        self._parameters = ParameterSeries(self.registry)
        self._audience = AudienceSeries(self.registry, self.settings)
        self._models = ModelSeries(self.registry)
        self._route_label, self._arm_label = FixedLabels(*ROUTES), FixedLabels(*ARMS)
        self._code_label, self._rule_label = FixedLabels(*CODES), WordLabels(RULES)
        # Alerts query these counters, so they exist from the start with value 0.
        self._alert_counters = {
            "rate_limited": self._requests.rate_limited,
            "overloaded": self._requests.queue_refusals,
            "timeout": self._requests.timeouts,
        }
        self._version_label = VersionLabels(VERSIONS, self._forget_version)
        self._add_first_series()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def answered(self, route: str, status: int, seconds: float, *, version: int | None = None, arm: str = "none") -> None:
        """Record an answer, once, after its last byte is sent.

        Args:
            status: HTTP status; a broken stream counts as 500.
            seconds: duration of the request.
            version: number of the model version, or None if none was chosen.
            arm: one of `ARMS`.
        """
        route, arm, status_class = self._route_label(route), self._arm_label(arm), _status_class(status)
        self._requests.duration.labels(route, status_class, arm).observe(seconds)
        self._requests.requests.labels(route, status_class, self._label_of(version), arm).inc()

    def completed(
        self,
        *,
        version: int,
        arm: str,
        user: str,
        seconds: float,
        generation_seconds: float,
        prompt_tokens: int,
        lengths: Iterable[int],
        parameters: Mapping[str, float],
        first_token_seconds: float | None = None,
    ) -> None:
        """Record a completed generation. `answered` counts the request itself.

        Args:
            user: pseudonym of the user.
            seconds: duration of the whole request.
            generation_seconds: time that the model server took.
            lengths: tokens of each sample.
            parameters: temperature, top_p, top_k, max_length, num_samples.
            first_token_seconds: for a stream, the time until its first chunk.
        """
        series, label, arm, sample_lengths = self._requests, self._label_of(version), self._arm_label(arm), list(lengths)
        series.tokens.labels(label, arm, "prompt").inc(prompt_tokens)
        series.tokens.labels(label, arm, "completion").inc(sum(sample_lengths))
        series.normalised.labels(arm).observe(normalised_seconds(seconds, sample_lengths))
        series.generation.labels(label, arm).observe(generation_seconds)
        series.cost.labels(label, arm).observe(generation_seconds * self.settings.cost_per_second)
        if first_token_seconds is not None:
            series.first_token.labels(arm).observe(first_token_seconds)
        self._parameters.observe(parameters)
        self._audience.record_request(user)

    def scored(self, text: str, *, version: int, arm: str, nats: float, tokens: int) -> None:
        """Record the likelihood of a text: `nats` is the sum of the cross-entropy of its tokens.

        exp(sum of nats / sum of tokens) is the perplexity (MON-3).

        Args:
            text: `prompt` or `completion`.
        """
        labels = self._label_of(version), self._arm_label(arm), "prompt" if text == "prompt" else "completion"
        self._requests.loss.labels(*labels).inc(max(0.0, nats))
        self._requests.scored.labels(*labels).inc(max(0, tokens))

    def refused(self, code: str) -> None:
        """Record a refused or failed request by its error code, one of `CODES`. `answered` counts the request itself."""
        self._requests.refusals.labels(self._code_label(code)).inc()
        if counter := self._alert_counters.get(code):
            counter.inc()

    def client_gone(self) -> None:
        """Record a client that disconnected before its answer."""
        self._requests.disconnects.inc()

    def filtered(self, side: str, allowed: bool, rule: str = "") -> None:
        """Record a decision of the content filter on a `prompt` or `completion`."""
        self._models.filter.labels(
            "prompt" if side == "prompt" else "completion", "allow" if allowed else "refuse", self._rule_label(rule) if rule else "none"
        ).inc()

    def feedback(self, *, version: int, arm: str, rating: int | None = None, thumb: str | None = None) -> None:
        """Record a user's rating (1 to 5), thumb (`up` or `down`), or both."""
        labels = self._label_of(version), self._arm_label(arm)
        if rating is not None:
            self._audience.score.labels(*labels).observe(rating)
        if thumb in THUMBS:
            self._audience.thumbs.labels(*labels, thumb).inc()

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request as in flight while the context is open."""
        self._requests.in_flight.inc()
        try:
            yield
        finally:
            self._requests.in_flight.dec()

    def watch_queue(self, depth: Callable[[], float]) -> None:
        """Report the number of calls that wait and were not sent to the model server yet. `depth` is called at each scrape."""
        self._requests.queue.set_function(depth)

    def watch_counts(self, name: str, help: str, counts: Callable[[], Mapping[str, int]]) -> None:
        """Report running totals of another part of the program, as `robo_poet_<name>_total{outcome}`."""
        self.registry.register(CountsCollector(f"robo_poet_{name}", help, counts))

    def watch_value(self, name: str, help: str, value: Callable[[], float]) -> None:
        """Report a value of another part of the program, as `robo_poet_<name>`. `value` is called at each scrape."""
        Gauge(f"robo_poet_{name}", help, registry=self.registry).set_function(value)

    def serving(self, versions: Iterable[tuple[int, str, str]]) -> None:
        """Set the versions in service, as (number, digest, arm). Replaces the previous ones."""
        labelled = [(self._label_of(number), digest, self._arm_label(arm)) for number, digest, arm in versions]
        self._models.serving(labelled)
        for version, _, arm in labelled:
            self._add_version_series(version, arm)

    def model_loaded(self, version: int, outcome: str = "ok") -> None:
        """Record that a version was loaded (`ok`) or could not be loaded (`failed`)."""
        self._models.loads.labels(self._label_of(version), "ok" if outcome == "ok" else "failed").inc()

    def render(self) -> bytes:
        """Return all series in Prometheus' text format. Its media type is `content_type`."""
        return generate_latest(_WithModel(self.registry, self._model) if self._model else self.registry)

    def _add_first_series(self) -> None:
        """Create the series of both arms and of all codes with value 0. `rate()` misses the first request of a series that it creates."""
        for arm in (*SERVING_ARMS, "none"):
            self._add_version_series("none", arm)
        for arm in SERVING_ARMS:
            self._requests.normalised.labels(arm)
            self._requests.first_token.labels(arm)
        for code in CODES:
            self._requests.refusals.labels(code)
        for side, decision in product(("prompt", "completion"), ("allow", "refuse")):
            self._models.filter.labels(side, decision, "none")

    def _add_version_series(self, version: str, arm: str) -> None:
        series = self._requests
        for route, status in product(GENERATION_ROUTES, STATUS_CLASSES):
            series.requests.labels(route, status, version, arm)
            series.duration.labels(route, status, arm)
        if version != "none":
            series.normalised.labels(arm)
            series.first_token.labels(arm)
            self._audience.score.labels(version, arm)
            for thumb in THUMBS:
                self._audience.thumbs.labels(version, arm, thumb)
            series.generation.labels(version, arm)
            series.cost.labels(version, arm)
            for text, counter in product(("prompt", "completion"), (series.tokens, series.loss, series.scored)):
                counter.labels(version, arm, text)

    def _label_of(self, version: int | None) -> str:
        return "none" if version is None else self._version_label(version)

    def _forget_version(self, label: str) -> None:
        for series in self.registry._collector_to_names:
            if isinstance(series, MetricWrapperBase) and "version" in series._labelnames:
                with suppress(KeyError):
                    series.remove_by_labels({"version": label})


def normalised_seconds(seconds: float, lengths: Iterable[int]) -> float:
    """Return the seconds of a request per 100 tokens of its longest sample."""
    return seconds * 100 / max([MIN_NORMALISED_TOKENS, *lengths])


class _WithModel(CollectorRegistry):
    """A view of a registry whose series `robo_poet_…` have a further label `model`, so that equal versions of two models differ."""

    def __init__(self, registry: CollectorRegistry, model: str) -> None:
        super().__init__()
        self._source, self._model = registry, model

    def collect(self) -> Iterator[Metric]:
        for metric in self._source.collect():
            if metric.name.startswith("robo_poet_"):
                metric.samples = [sample._replace(labels={**sample.labels, "model": self._model}) for sample in metric.samples]
            yield metric


def _status_class(status: int) -> str:
    return f"{status // 100}xx" if 100 <= status <= 599 else "5xx"
