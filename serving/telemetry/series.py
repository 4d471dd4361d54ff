"""Prometheus series of requests and completions, of their parameters, of model versions and filter decisions, and of running totals
that other parts of the program keep (MON-1, MON-2)."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

# Bucket bounds in seconds, dense near the targets: 50 ms without load, 1 s for the alert, 30 s for the deadline.
DURATION_BUCKETS = (.005, .01, .02, .03, .04, .05, .065, .08, .1, .15, .2, .3, .5, .75, 1, 1.5, 2, 5, 10, 30)  # fmt: skip


class RequestSeries:
    """The series of requests, registered in `registry`. Dashboards and alerts use their names, so the names must stay."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.duration = Histogram(
            "robo_poet_request_duration_seconds", "Time from the last byte of the request to the last byte of the answer, in seconds.",
            ["route", "status", "arm"], buckets=DURATION_BUCKETS, registry=registry,
        )  # fmt: skip
        self.normalised = Histogram(
            "robo_poet_request_duration_normalised_seconds", "Seconds of a completed request per 100 tokens of its longest sample.",
            ["arm"], buckets=DURATION_BUCKETS, registry=registry,
        )  # fmt: skip
        self.first_token = Histogram(
            "robo_poet_time_to_first_token_seconds",
            "Time until the first chunk of a stream is sent, in seconds.",
            ["arm"],
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
        self.requests = Counter(
            "robo_poet_requests_total", "Requests by route, status class, model version and arm.",
            ["route", "status", "version", "arm"], registry=registry,
        )  # fmt: skip
        self.tokens = Counter("robo_poet_tokens_total", "Tokens of prompts and completions.", ["version", "arm", "text"], registry=registry)
        self.loss = Counter(
            "robo_poet_log_loss_nats_total", "Sum of negative log-likelihoods, in nats. Per scored token: the cross-entropy.",
            ["version", "arm", "text"], registry=registry,
        )  # fmt: skip
        self.scored = Counter(
            "robo_poet_scored_tokens_total", "Tokens whose log-likelihood was computed.", ["version", "arm", "text"], registry=registry
        )
        self.generation = Summary(
            "robo_poet_generation_duration_seconds",
            "Time that the model server takes for a completed request, in seconds.",
            ["version", "arm"],
            registry=registry,
        )
        self.cost = Summary(
            "robo_poet_generation_cost", "Cost of a completed request: generation time in seconds times the configured cost per second.",
            ["version", "arm"], registry=registry,
        )  # fmt: skip
        self.refusals = Counter("robo_poet_refusals_total", "Refused or failed requests, by error code.", ["code"], registry=registry)
        self.rate_limited = Counter(
            "robo_poet_rate_limited_total", "Requests above the rate limit of their user or address.", registry=registry
        )
        self.queue_refusals = Counter("robo_poet_shed_total", "Requests refused because the queue was full.", registry=registry)
        self.timeouts = Counter("robo_poet_timeouts_total", "Requests that exceeded their deadline.", registry=registry)
        self.disconnects = Counter(
            "robo_poet_clients_gone_total", "Requests whose client disconnected before the answer.", registry=registry
        )
        self.in_flight = Gauge("robo_poet_requests_in_flight", "Requests in progress.", registry=registry)
        self.queue = Gauge(
            "robo_poet_queue_depth",
            "Calls of the model server that wait in the gateway. Calls that were sent do not count.",
            registry=registry,
        )


PARAMETER_BUCKETS: Mapping[str, tuple[float, ...]] = {
    "temperature": (.1, .2, .4, .6, .8, 1, 1.2, 1.5, 2),
    "top_p": (.1, .3, .5, .7, .8, .9, .95, .99, 1),
    "top_k": (1, 5, 10, 20, 40, 50, 75, 100),
    "max_length": (10, 25, 50, 100, 200, 300, 400, 512),
    "num_samples": (1, 2, 3, 4, 5),
}  # fmt: skip
PARAMETER_HELP: Mapping[str, str] = {
    "temperature": "Requested temperature.",
    "top_p": "Requested top_p: probability mass of the nucleus, 0 to 1.",
    "top_k": "Requested top_k: number of candidate tokens.",
    "max_length": "Requested maximum length, in tokens.",
    "num_samples": "Requested number of completions.",
}


class ParameterSeries:
    """A histogram for each parameter: `robo_poet_parameter_<name>`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._series = {
            name: Histogram(f"robo_poet_parameter_{name}", PARAMETER_HELP[name], buckets=buckets, registry=registry)
            for name, buckets in PARAMETER_BUCKETS.items()
        }

    def observe(self, parameters: Mapping[str, float]) -> None:
        """Record the parameters of one request. Unknown names are skipped."""
        for name, series in self._series.items():
            if name in parameters:
                series.observe(parameters[name])


class ModelSeries:
    """The series of versions in service, loads, and filter decisions, registered in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.versions = Gauge(
            "robo_poet_model_version_info", "1 for each model version in service.", ["version", "digest", "arm"], registry=registry
        )
        self.loads = Counter(
            "robo_poet_model_loads_total", "Loads of model versions, by outcome.", ["version", "outcome"], registry=registry
        )
        self.filter = Counter(
            "robo_poet_filter_decisions_total", "Decisions of the content filter, by side and rule.",
            ["side", "decision", "rule"], registry=registry,
        )  # fmt: skip

    def serving(self, versions: Iterable[tuple[str, str, str]]) -> None:
        """Set the versions in service, as (version, digest, arm). The label contains the first 12 digits of the digest."""
        self.versions.clear()
        for version, digest, arm in versions:
            self.versions.labels(version, digest[:12], arm).set(1)


class CountsCollector(Collector):
    """A collector that exports `<name>_total{outcome=…}` for each entry of `counts()`.

    `counts` is called at each scrape. Its keys come from a fixed set.
    """

    def __init__(self, name: str, help: str, counts: Callable[[], Mapping[str, int]]) -> None:
        self._name, self._help, self._counts = name, help, counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._help, labels=["outcome"])
        for outcome, count in sorted(self._counts().items()):
            family.add_metric([outcome], count)
        yield family
