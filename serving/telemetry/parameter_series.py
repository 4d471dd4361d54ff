"""Prometheus series of the generation parameters that users choose (MON-1)."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Histogram

BUCKETS: Mapping[str, tuple[float, ...]] = {
    "temperature": (.1, .2, .4, .6, .8, 1, 1.2, 1.5, 2),
    "top_p": (.1, .3, .5, .7, .8, .9, .95, .99, 1),
    "top_k": (1, 5, 10, 20, 40, 50, 75, 100),
    "max_length": (10, 25, 50, 100, 200, 300, 400, 512),
    "num_samples": (1, 2, 3, 4, 5),
}  # fmt: skip
WHAT: Mapping[str, str] = {
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
            name: Histogram(f"robo_poet_parameter_{name}", WHAT[name], buckets=buckets, registry=registry)
            for name, buckets in BUCKETS.items()
        }

    def observe(self, parameters: Mapping[str, float]) -> None:
        """Record the parameters of one request. Unknown names are skipped."""
        for name, series in self._series.items():
            if name in parameters:
                series.observe(parameters[name])
