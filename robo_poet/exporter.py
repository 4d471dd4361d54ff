"""Metrics of a program that looks at something again and again, and their export on a port of its own (MON-1)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, start_http_server

from robo_poet.errors import BadInput


class LookSeries:
    """Errors, gauges, CPU and memory of such a program. Errors and gauges exist with 0 from the start.

    So an alert sees a program whose first look has failed, and `increase()` sees the first error.

    Args:
        prefix: of the names, such as `robo_poet_canary`.
        gauges: name without the prefix → help.

    Attributes:
        registry: has all metrics.
        errors: counts the looks that ended with an error.
        gauges: name without the prefix → gauge.
    """

    def __init__(self, prefix: str, model: str, gauges: Mapping[str, str]) -> None:
        self.registry = CollectorRegistry()
        self.errors = Counter(f"{prefix}_errors", "Looks that ended with an error.", ["model"], registry=self.registry).labels(model)
        self.gauges = {
            name: Gauge(f"{prefix}_{name}", text, ["model"], registry=self.registry).labels(model) for name, text in gauges.items()
        }
        ProcessCollector(registry=self.registry)


@contextmanager
def exporter(series: CollectorRegistry, host: str, port: int, setting: str) -> Iterator[str]:
    """Answer scrapes in a thread while the block runs. Yield the address of the metrics.

    Args:
        series: all metrics of the program.
        port: 0 takes a free one.
        setting: what sets the port, for the error message.

    Raises:
        BadInput: the port cannot be used.
    """
    try:
        server, thread = start_http_server(port, host, registry=series)
    except (OSError, OverflowError) as error:  # OverflowError: there is no such port
        reason = getattr(error, "strerror", "") or str(error)
        raise BadInput(f"the port of the metrics cannot be used ({reason})", where=f"{host}:{port}", remedy=f"set {setting}") from None
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
