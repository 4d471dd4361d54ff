"""Metrics on a port of their own."""

import socket
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, Gauge

from robo_poet.errors import BadInput
from robo_poet.exporter import exporter


def test_metrics_are_read_while_the_block_runs() -> None:
    series = CollectorRegistry()
    Gauge("looks", "Looks.", registry=series).set(3)
    with exporter(series, "127.0.0.1", 0, "port") as address:
        assert "looks 3.0" in urllib.request.urlopen(address, timeout=5).read().decode()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=5)


@pytest.mark.parametrize("port", [None, 70_000])
def test_a_port_that_cannot_be_used_is_one_line(port: int | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = port or taken.getsockname()[1]
        with (
            pytest.raises(BadInput, match=f"127.0.0.1:{number}: the port of the metrics cannot be used.*set monitoring.port"),
            exporter(CollectorRegistry(), "127.0.0.1", number, "monitoring.port"),
        ):
            raise AssertionError("unreachable")
