"""Prometheus series of requests and completions, of their parameters, and of model versions and filter decisions (MON-1, MON-2)."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary

# Bucket bounds in seconds, dense near the targets: 50 ms without load, 1 s for the alert, 30 s for the deadline.
DURATION_BUCKETS = (.005, .01, .02, .03, .04, .05, .065, .08, .1, .15, .2, .3, .5, .75, 1, 1.5, 2, 5, 10, 30)  # fmt: skip


class RequestSeries:
    """The series of requests, registered in `registry`. Dashboards and alerts use their names, so the names must stay."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.duration = Histogram(
            "robo_poet_request_duration_seconds", "From the request's last byte in to the answer's last byte out.",
            ["route", "status", "arm"], buckets=DURATION_BUCKETS, registry=registry,
        )  # fmt: skip
        self.normalised = Histogram(
            "robo_poet_request_duration_normalised_seconds", "Duration of a completed request, per 100 tokens of its longest sample.",
            ["arm"], buckets=DURATION_BUCKETS, registry=registry,
        )  # fmt: skip
        self.first_token = Histogram(
            "robo_poet_time_to_first_token_seconds",
            "Of a stream: until its first chunk was sent.",
            ["arm"],
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
        self.requests = Counter(
            "robo_poet_requests_total", "Requests by their answer; version and arm where one was chosen.",
            ["route", "status", "version", "arm"], registry=registry,
        )  # fmt: skip
        self.tokens = Counter(
            "robo_poet_tokens_total", "Tokens read (prompt) and written (completion).", ["version", "arm", "text"], registry=registry
        )
        self.loss = Counter(
            "robo_poet_log_loss_nats_total", "Sum of the tokens' negative log-likelihood; by robo_poet_scored_tokens_total: cross-entropy.",
            ["version", "arm", "text"], registry=registry,
        )  # fmt: skip
        self.scored = Counter(
            "robo_poet_scored_tokens_total", "Tokens whose likelihood is known.", ["version", "arm", "text"], registry=registry
        )
        self.generation = Summary(
            "robo_poet_generation_duration_seconds",
            "Time the model server took for a completed request.",
            ["version", "arm"],
            registry=registry,
        )
        self.cost = Summary(
            "robo_poet_generation_cost", "Of a completed request: its seconds of generation times the cost per second that is set.",
            ["version", "arm"], registry=registry,
        )  # fmt: skip
        self.refusals = Counter(
            "robo_poet_refusals_total", "Requests refused or failed, by the answer's code.", ["code"], registry=registry
        )
        self.rate_limited = Counter("robo_poet_rate_limited_total", "Requests over the limit of their user or address.", registry=registry)
        self.shed = Counter("robo_poet_shed_total", "Requests turned away because too many were waiting.", registry=registry)
        self.timeouts = Counter("robo_poet_timeouts_total", "Requests that met their deadline.", registry=registry)
        self.left = Counter("robo_poet_clients_gone_total", "Requests whose client left before the answer.", registry=registry)
        self.in_flight = Gauge("robo_poet_requests_in_flight", "Requests being answered now.", registry=registry)
        self.queue = Gauge("robo_poet_queue_depth", "Requests waiting for the model server.", registry=registry)


PARAMETER_BUCKETS: Mapping[str, tuple[float, ...]] = {
    "temperature": (.1, .2, .4, .6, .8, 1, 1.2, 1.5, 2),
    "top_p": (.1, .3, .5, .7, .8, .9, .95, .99, 1),
    "top_k": (1, 5, 10, 20, 40, 50, 75, 100),
    "max_length": (10, 25, 50, 100, 200, 300, 400, 512),
    "num_samples": (1, 2, 3, 4, 5),
}  # fmt: skip
PARAMETER_HELP: Mapping[str, str] = {
    "temperature": "Temperature asked for.",
    "top_p": "Nucleus asked for, a share of the probability.",
    "top_k": "Candidates asked for.",
    "max_length": "Tokens asked for, at most.",
    "num_samples": "Completions asked for.",
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
