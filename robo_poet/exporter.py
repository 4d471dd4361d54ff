"""Exports the metrics of a program to Prometheus, on a port of its own (MON-1)."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from robo_poet.errors import BadInput


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
